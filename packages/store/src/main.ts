import { readFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { type FlagSpec, type FlagValues, Health, type Host, runDaemon, startOpsServer } from '@wherry/daemon';
import { replicaDefaults } from './replica/options.ts';
import type { TlsFiles } from './server/client-listener.ts';
import { INITIAL_CLUSTER_TOKEN, parseInitialCluster } from './server/identity.ts';
import { startStoreServer } from './server/store-server.ts';

/** etcd's names; what etcd allows and we do not (plain http, no client certificates) is refused in `start`. */
const flags = {
  name: { kind: 'string', default: 'default', help: 'human-readable name of this member' },
  'data-dir': { kind: 'string', help: 'directory of the log and the snapshots' },
  'listen-client-urls': { kind: 'list', default: ['https://127.0.0.1:2379'], help: 'where clients are listened to' },
  'advertise-client-urls': { kind: 'list', optional: true, help: 'where clients are told to come' },
  'listen-peer-urls': {
    kind: 'list',
    default: ['https://127.0.0.1:2380'],
    help: 'where other members are listened to',
  },
  'initial-advertise-peer-urls': {
    kind: 'list',
    optional: true,
    help: 'where the others reach us',
  },
  'initial-cluster': {
    kind: 'list',
    optional: true,
    help: 'all members, name=url,…: of a new cluster, or where they are now',
  },
  'initial-cluster-token': {
    kind: 'string',
    optional: true,
    help: `tells clusters with members of the same names apart ("${INITIAL_CLUSTER_TOKEN}" if not given)`,
  },
  'initial-cluster-state': { kind: 'string', default: 'new', choices: ['new', 'existing'], help: 'new or existing' },
  'cert-file': { kind: 'string', help: 'certificate shown to clients' },
  'key-file': { kind: 'string', help: 'its key' },
  'trusted-ca-file': { kind: 'string', help: 'CA that clients must be signed by' },
  'client-cert-auth': { kind: 'boolean', default: true, help: 'always on' },
  'peer-cert-file': { kind: 'string', help: 'certificate shown to other members' },
  'peer-key-file': { kind: 'string', help: 'its key' },
  'peer-trusted-ca-file': { kind: 'string', help: 'CA that other members must be signed by' },
  'peer-cert-allowed-cn': { kind: 'string', optional: true, help: "common name that members' certificates must have" },
  'peer-client-cert-auth': { kind: 'boolean', default: true, help: 'always on' },
  'heartbeat-interval': { kind: 'integer', default: replicaDefaults.heartbeatMs, min: 1, help: 'milliseconds' },
  'election-timeout': { kind: 'integer', default: replicaDefaults.electionMs, min: 10, help: 'milliseconds' },
  'quota-backend-bytes': { kind: 'integer', default: 0, min: 0, help: 'most bytes of state; 0: 2 GiB' },
  'snapshot-count': { kind: 'integer', default: replicaDefaults.snapshotCount, min: 1, help: 'entries per snapshot' },
  'listen-metrics-urls': { kind: 'list', default: [], help: 'where /metrics, /health and /readyz are served (http)' },
} as const satisfies FlagSpec;

/** Whoever waits for the CPU looks dead to the others, and a dead process's sockets close only when it gets some. */
const PRIORITY = -10;

async function start(values: FlagValues<typeof flags>, host: Host): Promise<void> {
  checkFlags(values);
  try {
    setPriority(PRIORITY);
  } catch (error) {
    host.logger.debug({ err: error }, 'runs at the usual priority: raising it is not allowed');
  }
  const health = new Health();
  const listenPeerUrl = values['listen-peer-urls'][0] ?? '';
  const advertised = values['initial-advertise-peer-urls'];
  const initialCluster = parseInitialCluster(
    values['initial-cluster']?.join(',') ?? `${values.name}=${advertised?.[0] ?? listenPeerUrl}`,
  );
  const own = initialCluster.find(({ name }) => name === values.name);
  const [clientTls, peerTls] = await Promise.all([
    readTls(values['trusted-ca-file'], values['cert-file'], values['key-file']),
    readTls(values['peer-trusted-ca-file'], values['peer-cert-file'], values['peer-key-file']),
  ]);
  const server = await startStoreServer(
    {
      name: values.name,
      dataDir: values['data-dir'],
      initialCluster,
      initialClusterToken: values['initial-cluster-token'],
      listenClientUrls: values['listen-client-urls'],
      advertiseClientUrls: values['advertise-client-urls'] ?? values['listen-client-urls'],
      listenPeerUrl,
      joinsExisting: values['initial-cluster-state'] === 'existing',
      advertisePeerUrls: advertised ?? (own === undefined ? [] : [own.peerUrl]),
      clientTls,
      peerTls,
      peerCommonName: values['peer-cert-allowed-cn'],
      heartbeatMs: values['heartbeat-interval'],
      electionMs: values['election-timeout'],
      quotaBytes: values['quota-backend-bytes'] === 0 ? replicaDefaults.quotaBytes : values['quota-backend-bytes'],
      snapshotCount: values['snapshot-count'],
    },
    {
      pid: process.pid,
      clock: host.clock,
      random: host.random,
      logger: host.logger,
      metrics: host.metrics,
      health,
      onFatal: (error) => {
        host.logger.error({ err: error }, 'cannot go on');
        process.exit(1);
      },
    },
  );
  host.scope.onClose(() => server.close());
  for (const url of values['listen-metrics-urls']) {
    const { hostname, port } = new URL(url);
    const ops = await startOpsServer({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port),
      health,
      metrics: host.metrics,
      // etcd's own health path and answer.
      extra: (request, response) => {
        const { hasSpace, raft } = server.replica;
        const healthy = raft.leader !== 0 && hasSpace;
        const known = request.url === '/health';
        response.writeHead(known ? (healthy ? 200 : 503) : 404, { 'content-type': 'application/json' });
        const reason = healthy ? '' : raft.leader === 0 ? 'RAFT NO LEADER' : 'ALARM NOSPACE';
        response.end(known ? JSON.stringify({ health: String(healthy), reason }) : '{}');
      },
    });
    host.scope.onClose(() => ops.close());
  }
}

function checkFlags(values: FlagValues<typeof flags>): void {
  const heartbeat = values['heartbeat-interval'];
  const election = values['election-timeout'];
  if (!values['client-cert-auth'] || !values['peer-client-cert-auth']) {
    throw new Error('Cannot turn client certificates off: the store trusts nobody without one');
  }
  if (election < 5 * heartbeat) {
    throw new Error(`--election-timeout ${election} must be at least 5 times --heartbeat-interval ${heartbeat}`);
  }
  if (values['listen-peer-urls'].length !== 1) throw new Error('Give exactly one --listen-peer-urls');
}

async function readTls(ca: string, cert: string, key: string): Promise<TlsFiles> {
  const [caText, certText, keyText] = await Promise.all([ca, cert, key].map((path) => readFile(path, 'utf8')));
  return { ca: caText ?? '', cert: certText ?? '', key: keyText ?? '' };
}

// The same program does what operators want done: they have one file to carry.
if (process.argv[2] === 'operate') {
  const { operate } = await import('./operator/operate.ts');
  process.stdout.write(`${JSON.stringify(await operate(process.argv[3] ?? ''))}\n`);
} else runDaemon({ name: 'store', flags, start });
