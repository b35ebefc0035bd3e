import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, resolve } from 'node:path';
import { type Node, resources } from '@wherry/api';
import { createFollowingClient, type Informer, InformerFactory, loadKubeconfig } from '@wherry/client';
import {
  type FlagSpec,
  type FlagValues,
  Health,
  type Host,
  rfc3339Micro,
  runDaemon,
  startOpsServer,
} from '@wherry/daemon';
import type { Dataplane } from './dataplane/dataplane.ts';
import { NftablesDataplane } from './dataplane/nftables/nftables-dataplane.ts';
import { commandRunner } from './dataplane/run-command.ts';
import { UserspaceDataplane } from './dataplane/userspace/userspace-dataplane.ts';
import { startHealthServer } from './server/health-server.ts';
import { BY_SERVICE, ServiceProxy, serviceKeyOf } from './sync/service-proxy.ts';
import { createSyncMetrics } from './sync/sync-metrics.ts';

/** Rules that lag longer than this make the node unfit for load balancers, as upstream's. */
const LAG_MS_MAX = 120_000;

const flags = {
  kubeconfig: { kind: 'string', default: '', help: 'kubeconfig of the API server' },
  'hostname-override': { kind: 'string', default: '', help: 'name of this node in the cluster' },
  'proxy-mode': { kind: 'string', default: 'nftables', choices: ['nftables', 'userspace'], help: 'data plane' },
  'cluster-cidr': {
    kind: 'string',
    optional: true,
    help: 'addresses of pods; service traffic from elsewhere is masqueraded',
  },
  'nodeport-addresses': {
    kind: 'list',
    default: [],
    help: 'CIDRs of the node addresses NodePorts answer on, or "primary" for the node\'s own address; empty: all but loopback',
  },
  'healthz-bind-address': { kind: 'string', default: '0.0.0.0:10256', help: 'address of /healthz and /livez' },
  'metrics-bind-address': { kind: 'string', default: '127.0.0.1:10249', help: 'address of /metrics and /proxyMode' },
  'nftables-sync-period': {
    kind: 'duration',
    default: 30_000,
    help: 'how often rules are checked for damage by others',
  },
  cleanup: { kind: 'boolean', default: false, help: 'remove all rules and addresses of the proxy, then exit' },
} as const satisfies FlagSpec;

type Flags = FlagValues<typeof flags>;

runDaemon({ name: 'kube-proxy', flags, start });

async function start(flags: Flags, host: Host): Promise<void> {
  if (flags.cleanup) {
    for (const mode of ['nftables', 'userspace'] as const) await dataplaneOf(mode, flags, [], host).cleanUp();
    host.exit(0, 'cleaned up');
    return;
  }
  const nodeName = flags['hostname-override'];
  if (flags.kubeconfig === '' || nodeName === '') throw new Error('--kubeconfig and --hostname-override are required');
  const { clock, random, logger, metrics, scope } = host;
  const directory = dirname(flags.kubeconfig);
  const readBeside = (path: string): string => readFileSync(resolve(directory, path), 'utf8');
  // On a node that joined by token these are the node's own credentials, which its kubelet renews.
  const read = () => ({
    ...loadKubeconfig(readFileSync(flags.kubeconfig, 'utf8'), readBeside).connection,
    userAgent: 'kube-proxy',
  });
  const client = createFollowingClient({ read, clock, logger, scope });
  const informers = new InformerFactory({ client, clock, random, logger, scope });
  const nodes = informers.informer(resources.nodes, { fieldSelector: `metadata.name=${nodeName}` });
  // Upstream leaves services of other proxies and headless ones to the server's filter; so few that ours sees all.
  const services = informers.informer(resources.services);
  const slices = informers.informer(resources.endpointslices, {
    indexers: { [BY_SERVICE]: (slice) => [serviceKeyOf(slice)].filter((key) => key !== undefined) },
  });
  const cidrs = await nodePortCidrs(flags['nodeport-addresses'], nodes, nodeName, scope.signal);
  const dataplane = dataplaneOf(flags['proxy-mode'] === 'userspace' ? 'userspace' : 'nftables', flags, cidrs, host);
  scope.onClose(() => dataplane.close());
  const proxy = new ServiceProxy({
    services,
    slices,
    dataplane,
    nodeName,
    checkPeriodMs: flags['nftables-sync-period'],
    clock,
    logger,
    metrics: createSyncMetrics(metrics),
  });
  await serve(flags, host, proxy, dataplane.mode, () => nodes.get(nodeName));
  proxy.run(scope);
}

function dataplaneOf(mode: 'nftables' | 'userspace', flags: Flags, cidrs: readonly string[], host: Host): Dataplane {
  const { clock, random, logger, scope } = host;
  const common = { run: commandRunner(), localAddresses, clock, logger: logger.child({ dataplane: mode }) };
  const clusterCidr = flags['cluster-cidr'];
  if (mode === 'nftables') {
    return new NftablesDataplane({ ...common, prefix: [], table: { clusterCidr, nodePortCidrs: cidrs } });
  }
  return new UserspaceDataplane({
    ...common,
    random,
    clusterCidr,
    nodePortCidrs: cidrs,
    scope: scope.child('userspace'),
  });
}

async function nodePortCidrs(
  given: readonly string[],
  nodes: Informer<Node>,
  nodeName: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (!given.includes('primary')) return given;
  const address = await new Promise<string>((found, failed) => {
    signal.addEventListener('abort', () => failed(signal.reason), { once: true });
    nodes.onChange(({ object }) => {
      const own = object.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
      if (object.metadata?.name === nodeName && own !== undefined) found(own);
    });
  });
  return [`${address}/32`];
}

async function serve(
  flags: Flags,
  host: Host,
  proxy: ServiceProxy,
  mode: string,
  node: () => Node | undefined,
): Promise<void> {
  const { clock, metrics, scope } = host;
  const health = bindAddress(flags['healthz-bind-address']);
  const healthServer = await startHealthServer(health.host, health.port, () => {
    const updatedMs = proxy.lastUpdatedMs;
    return {
      healthy: updatedMs !== undefined && proxy.oldestWaitMs < LAG_MS_MAX,
      nodeEligible: node()?.metadata?.deletionTimestamp === undefined,
      lastUpdated: updatedMs === undefined ? undefined : rfc3339Micro(updatedMs),
      currentTime: rfc3339Micro(clock.now()),
    };
  });
  scope.onClose(() => healthServer.close());
  const ops = await startOpsServer({
    ...bindAddress(flags['metrics-bind-address']),
    health: new Health(),
    metrics,
    extra: (request, response) => {
      response.writeHead(request.url === '/proxyMode' ? 200 : 404);
      response.end(request.url === '/proxyMode' ? mode : '404 page not found\n');
    },
  });
  scope.onClose(() => ops.close());
}

function bindAddress(text: string): { readonly host: string; readonly port: number } {
  const cut = text.lastIndexOf(':');
  const port = Number(text.slice(cut + 1));
  if (cut === -1 || !Number.isInteger(port)) throw new Error(`"${text}" is no address and port`);
  return { host: text.slice(0, cut).replace(/^\[|\]$/g, ''), port };
}

function localAddresses(): ReadonlySet<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)),
  );
}
