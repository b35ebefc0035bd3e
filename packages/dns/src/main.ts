import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { resources } from '@wherry/api';
import { createClient, InformerFactory, loadKubeconfig } from '@wherry/client';
import {
  type FlagSpec,
  type FlagValues,
  Health,
  type Host,
  type Logger,
  pause,
  runDaemon,
  startOpsServer,
} from '@wherry/daemon';
import { InformerView, serviceCache, sliceCache } from './cluster/informer-view.ts';
import { createForwardMetrics } from './forward/forward-metrics.ts';
import { Forwarder } from './forward/forwarder.ts';
import { type Upstream, upstreamsOf } from './forward/upstreams.ts';
import { wantedSlice } from './publish/endpoint-plan.ts';
import { EndpointPublisher } from './publish/endpoint-publisher.ts';
import { startDnsServer } from './server/dns-server.ts';
import { Handler } from './server/handler.ts';
import { createServerMetrics } from './server/server-metrics.ts';
import { type Address, parseAddress } from './zone/names.ts';

/** kubeadm's Corefile; the kubernetes plugin alone would use 5. */
const TTL_SECONDS = 30;
/** How soon a laptop that changed networks is noticed. */
const RESOLV_CONF_MS = 5_000;

const flags = {
  kubeconfig: { kind: 'string', help: 'kubeconfig of the API server' },
  'bind-address': { kind: 'string', default: '0.0.0.0', help: 'address to answer on' },
  port: { kind: 'integer', default: 53, min: 0, max: 65_535, help: 'UDP and TCP port to answer on' },
  'publish-address': {
    kind: 'string',
    optional: true,
    help: 'address to enter into the endpoints of Service kube-system/kube-dns; the bind address when not given',
  },
  'publish-name': {
    kind: 'string',
    default: 'kube-dns-wherry',
    help: 'name of the EndpointSlice of this server; several servers need several',
  },
  'cluster-domain': { kind: 'string', default: 'cluster.local', help: 'domain of the cluster' },
  'resolv-conf': { kind: 'string', default: '/etc/resolv.conf', help: 'file with the resolvers for all other names' },
  'healthz-bind-address': {
    kind: 'string',
    default: '127.0.0.1:10054',
    help: 'address of /healthz, /livez, /readyz, /health, /ready and /metrics',
  },
} as const satisfies FlagSpec;

type Flags = FlagValues<typeof flags>;

runDaemon({ name: 'dns', flags, start });

async function start(flags: Flags, host: Host): Promise<void> {
  const { clock, random, logger, metrics, scope } = host;
  const published = publishAddress(flags);
  const directory = dirname(flags.kubeconfig);
  const kubeconfig = loadKubeconfig(readFileSync(flags.kubeconfig, 'utf8'), (path) =>
    readFileSync(resolve(directory, path), 'utf8'),
  );
  const client = createClient({ ...kubeconfig.connection, userAgent: 'wherry-dns' });
  scope.onClose(() => client.close());
  const informers = new InformerFactory({ client, clock, random, logger, scope });
  const services = informers.informer(resources.services, serviceCache);
  const slices = informers.informer(resources.endpointslices, sliceCache);
  const view = new InformerView(services, slices, clock);
  await serveHealth(flags, host, view);
  const label = `dns://:${flags.port}`;
  const forwarder = new Forwarder({
    upstreams: followUpstreams(flags, host, published),
    clock,
    random,
    logger,
    metrics: createForwardMetrics(metrics, label),
  });
  const handler = new Handler({
    view,
    isComplete: () => view.isComplete,
    zone: {
      clusterDomain: flags['cluster-domain'].toLowerCase().replace(/\.$/, ''),
      ttlSeconds: TTL_SECONDS,
      nameServers: [published],
    },
    forwarder,
    clock,
    random,
    logger,
    metrics: createServerMetrics(metrics, label),
  });
  const server = await startDnsServer({
    host: flags['bind-address'],
    port: flags.port,
    handle: (request, protocol) => handler.handle(request, protocol),
    clock,
    logger,
  });
  scope.onClose(() => server.close());
  logger.info({ address: flags['bind-address'], port: server.port }, 'serving DNS');
  if (/^127\.|^::1$/.test(published.text)) {
    logger.warn({ address: published.text }, 'not published: the API refuses loopback addresses as endpoints');
    return;
  }
  const wanted = wantedSlice(flags['publish-name'], published, server.port);
  new EndpointPublisher({ client, slices, wanted, clock, logger }).run(scope);
}

function publishAddress(flags: Flags): Address {
  const text = flags['publish-address'] ?? flags['bind-address'];
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`Cannot publish "${text}": it is no IP address`);
  if (address.text === '0.0.0.0' || address.text === '::') {
    throw new Error(`Cannot publish ${text}: --publish-address must name the address nodes reach this server at`);
  }
  return address;
}

/** Reads the file now and whenever it may have changed. */
function followUpstreams(flags: Flags, { clock, logger, scope }: Host, published: Address): () => readonly Upstream[] {
  const own = [flags['bind-address'], published.text].map((address) => ({ address, port: flags.port }));
  const path = flags['resolv-conf'];
  let text: string | undefined;
  let upstreams: readonly Upstream[] = [];
  const read = () => {
    const now = readResolvConf(path, logger, text);
    if (now === text) return;
    text = now;
    upstreams = upstreamsOf(now ?? '', own);
    logger.info({ path, upstreams: upstreams.map(({ address }) => address) }, 'upstream resolvers');
    if (upstreams.length === 0) logger.warn({ path }, 'no upstream resolver: names outside the cluster fail');
  };
  read();
  scope.run('resolv.conf', async (signal) => {
    while (await pause(clock, RESOLV_CONF_MS, signal)) read();
  });
  return () => upstreams;
}

/** A file that is being replaced may be missing for a moment: what was known stays. */
function readResolvConf(path: string, logger: Logger, known: string | undefined): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (known === undefined) logger.warn({ err: error, path }, 'cannot read the upstream resolvers');
    return known;
  }
}

/** Also CoreDNS's own paths, `/health` and `/ready`. */
async function serveHealth(flags: Flags, { metrics, scope }: Host, view: InformerView): Promise<void> {
  const text = flags['healthz-bind-address'];
  const cut = text.lastIndexOf(':');
  const port = Number(text.slice(cut + 1));
  if (cut === -1 || !Number.isInteger(port))
    throw new Error(`--healthz-bind-address is "${text}", no address and port`);
  const health = new Health();
  health.addReady('kubernetes', () => (view.isComplete ? undefined : 'services and endpoints are not known yet'));
  const ops = await startOpsServer({
    host: text.slice(0, cut).replace(/^\[|\]$/g, ''),
    port,
    health,
    metrics,
    extra: (request, response) => {
      const isReady = request.url === '/health' || (request.url === '/ready' && view.isComplete);
      const known = request.url === '/health' || request.url === '/ready';
      response.writeHead(isReady ? 200 : known ? 503 : 404, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(isReady ? 'OK' : known ? 'kubernetes' : '404 page not found\n');
    },
  });
  scope.onClose(() => ops.close());
}
