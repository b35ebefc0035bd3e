import type { FlagValues, Host } from '@wherry/daemon';
import type { Config, flags } from '../config/config.ts';
import { createBalancerMetrics } from '../pool/balancer-metrics.ts';
import { type Backend, Pool } from '../pool/pool.ts';
import { check } from '../probe/check.ts';
import { HttpsAsker } from '../probe/https-asker.ts';
import { Prober } from '../probe/prober.ts';
import { Balancer } from './balancer.ts';

export interface Assembled {
  readonly pool: Pool;
  readonly balancer: Balancer;
}

/** Puts the parts together and starts the checks; `balancer.listen()` is left to the caller. */
export function assemble(
  config: Config,
  values: FlagValues<typeof flags>,
  authority: string,
  host: Pick<Host, 'clock' | 'random' | 'logger' | 'metrics' | 'scope'>,
): Assembled {
  const { clock, random, logger, scope } = host;
  const metrics = createBalancerMetrics(host.metrics);
  const pool = new Pool({
    backends: config.backends,
    thresholds: config.thresholds,
    unreadyFallback: values['unready-fallback'],
    endStreamsWhenDown: values['end-streams-when-down'],
    random,
    logger,
    metrics,
  });
  const probers = new Map<Backend, Prober>();
  const suspect = (backend: Backend) => probers.get(backend)?.suspect();
  for (const backend of pool.backends) {
    const asker = new HttpsAsker({
      address: backend.address,
      authority,
      serverName: values['backend-server-name'],
      onLost: () => suspect(backend),
    });
    scope.onClose(() => asker.close());
    const { intervalMs, timeoutMs } = config.check;
    const options = {
      asker,
      clock,
      readyPath: values['health-check-path'],
      livePath: values['liveness-check-path'],
      timeoutMs,
      patienceMs: Math.min(intervalMs, Math.floor(timeoutMs / 2)),
    };
    const prober = new Prober({
      name: backend.address.text,
      clock,
      intervalMs,
      check: (signal) => check(options, signal),
      onVerdict: (verdict) => pool.observe(backend, verdict),
    });
    probers.set(backend, prober);
    prober.run(scope);
  }
  const balancer = new Balancer({
    listen: config.listen,
    pool,
    clock,
    logger,
    metrics,
    connectionsMax: values['max-connections'],
    connectTimeoutMs: values['connect-timeout'],
    keepAliveMs: values['tcp-keepalive'],
    onSuspicion: suspect,
  });
  return { pool, balancer };
}
