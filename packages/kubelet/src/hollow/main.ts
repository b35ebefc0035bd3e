// Thousands of simulated nodes as one process.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { loadKubeconfig, undiciTransport } from '@wherry/client';
import { type FlagValues, type Host, runDaemon, startOpsServer } from '@wherry/daemon';
import { parseLabels, parseTaint } from '../plan/node-flags.ts';
import { KubeletServer } from '../server/kubelet-server.ts';
import { hollowFlags } from './flags.ts';
import { type HollowNodesConfig, startHollowNodes } from './hollow-nodes.ts';

type Flags = FlagValues<typeof hollowFlags>;

runDaemon({ name: 'hollow-nodes', flags: hollowFlags, start });

function configOf(flags: Flags): HollowNodesConfig {
  return {
    count: flags['hollow-nodes'],
    prefix: flags['hollow-node-prefix'],
    network: flags['node-network'],
    labels: parseLabels(flags['node-labels']),
    taints: flags['register-with-taints'].map(parseTaint),
    podsMax: flags['max-pods'],
    cpu: flags.cpu,
    memory: flags.memory,
    port: flags.port,
    leaseSeconds: flags['node-lease-duration-seconds'],
    defaults: {
      pullMs: flags['image-pull-time'],
      startMs: flags['container-start-time'],
      stopMs: flags['container-stop-time'],
    },
    statusWriters: flags['status-writers'],
    events: { perSecond: flags['event-qps'], burst: flags['event-burst'] },
  };
}

async function start(flags: Flags, host: Host): Promise<void> {
  const { clock, random, logger, metrics, scope } = host;
  const base = dirname(resolve(flags.kubeconfig));
  const kubeconfig = loadKubeconfig(readFileSync(flags.kubeconfig, 'utf8'), (path) =>
    readFileSync(resolve(base, path), 'utf8'),
  );
  const [cert = '', key = '', clientCa = ''] = await Promise.all(
    [flags['tls-cert-file'], flags['tls-private-key-file'], flags['client-ca-file']].map((path) =>
      readFile(path, 'utf8'),
    ),
  );
  const transport = undiciTransport({ ...kubeconfig.connection, userAgent: 'kubelet' });
  scope.onClose(() => transport.close());
  const config = configOf(flags);
  const nodes = startHollowNodes(config, { transport, clock, random, logger, metrics, scope });
  const server = new KubeletServer({
    address: flags.address,
    port: flags.port,
    tls: { cert, key, clientCa },
    servedAt: nodes.servedAt,
    health: nodes.health,
    metrics,
    clock,
    logger,
  });
  await server.listen();
  scope.onClose(() => server.close());
  if (flags['healthz-port'] !== 0) {
    const ops = await startOpsServer({
      host: flags['healthz-bind-address'],
      port: flags['healthz-port'],
      health: nodes.health,
      metrics,
    });
    scope.onClose(() => ops.close());
  }
  logger.info({ nodes: config.count, port: flags.port }, 'hollow nodes started');
}
