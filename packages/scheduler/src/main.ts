import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import {
  type ApiClient,
  createClient,
  EventRecorder,
  InformerFactory,
  LeaderElector,
  loadKubeconfig,
} from '@wherry/client';
import { type FlagSpec, type FlagValues, Health, type Host, runDaemon, startOpsServer } from '@wherry/daemon';
import { startScheduling } from './start-scheduling.ts';

const flags = {
  kubeconfig: { kind: 'string', help: 'kubeconfig of the API server' },
  'bind-address': { kind: 'string', default: '0.0.0.0', help: 'address of /healthz, /livez, /readyz and /metrics' },
  'secure-port': { kind: 'integer', default: 10259, min: 0, max: 65535, help: 'port of the same' },
  'tls-cert-file': { kind: 'string', optional: true, help: 'certificate of that port; plain HTTP without' },
  'tls-private-key-file': { kind: 'string', optional: true, help: 'key of that certificate' },
  'leader-elect': { kind: 'boolean', default: true, help: 'schedule only while holding the lease' },
  'leader-elect-lease-duration': { kind: 'duration', default: 15_000, help: 'others take over after this long' },
  'leader-elect-renew-deadline': { kind: 'duration', default: 10_000, help: 'give up leadership after this long' },
  'leader-elect-retry-period': { kind: 'duration', default: 2_000, help: 'time between tries' },
  'leader-elect-resource-name': { kind: 'string', default: 'kube-scheduler', help: 'name of the lease' },
  'leader-elect-resource-namespace': { kind: 'string', default: 'kube-system', help: 'namespace of the lease' },
} as const satisfies FlagSpec;

type Flags = FlagValues<typeof flags>;

runDaemon({ name: 'kube-scheduler', flags, start });

async function start(flags: Flags, host: Host): Promise<void> {
  const { clock, random, logger, metrics, scope } = host;
  const client = connect(flags.kubeconfig);
  scope.onClose(() => client.close());
  const informers = new InformerFactory({ client, clock, random, logger, scope });
  const events = new EventRecorder({ client, clock, logger, scope, component: 'default-scheduler' });
  const scheduling = startScheduling({ client, informers, events, clock, random, logger, metrics, scope });
  const health = new Health();
  health.addReady('informer-sync', () => (scheduling.hasSynced() ? undefined : 'caches have not synced'));
  const ops = await startOpsServer({
    host: flags['bind-address'],
    port: flags['secure-port'],
    health,
    metrics,
    ...tlsOf(flags),
  });
  scope.onClose(() => ops.close());
  if (!flags['leader-elect']) {
    scheduling.lead();
    return;
  }
  const elector = new LeaderElector({
    client,
    clock,
    random,
    logger,
    namespace: flags['leader-elect-resource-namespace'],
    name: flags['leader-elect-resource-name'],
    identity: `${hostname()}_${random.uuid()}`,
    leaseDurationMs: flags['leader-elect-lease-duration'],
    renewDeadlineMs: flags['leader-elect-renew-deadline'],
    retryPeriodMs: flags['leader-elect-retry-period'],
  });
  // A new process starts from a clean picture; going on as a follower would keep assumptions that did not come true.
  elector.run(scope, scheduling.lead, (reason) => host.exit(1, reason));
}

function connect(path: string): ApiClient {
  const text = readFileSync(path, 'utf8');
  const { connection } = loadKubeconfig(text, (file) => readFileSync(resolve(dirname(path), file), 'utf8'));
  return createClient({ ...connection, userAgent: 'kube-scheduler' });
}

function tlsOf(flags: Flags): { readonly tls?: { readonly cert: string; readonly key: string } } {
  const cert = flags['tls-cert-file'];
  const key = flags['tls-private-key-file'];
  if (cert === undefined || key === undefined) return {};
  return { tls: { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') } };
}
