import { type ApiObject, applyDefaults, decodeObject, facts } from '@wherry/api';
import { encodeForStorage, encodingOf } from '../../packages/apiserver/src/cache/encoding.ts';
import { applyConfiguration } from '../../packages/apiserver/src/managedfields/apply.ts';
import { writeFilter } from '../../packages/apiserver/src/managedfields/reset-fields.ts';
import { shapeOfKind } from '../../packages/apiserver/src/managedfields/shape.ts';
import { trackCreate, trackUpdate, type Writer } from '../../packages/apiserver/src/managedfields/track-update.ts';
import type { TrackedKind } from '../../packages/apiserver/src/managedfields/tracked-kind.ts';

const ROUNDS = 10_000;
const BATCHES = 5;
const now = '2026-01-01T00:00:00Z';
type Bag = Readonly<Record<string, unknown>>;

/** What field tracking costs a write, without the rest of the server: microseconds of one thread, best of five. */
export async function run(): Promise<void> {
  const node = facts.ofKind('', 'v1', 'Pod');
  if (node === undefined) throw new Error('No facts about Pod');
  const blank = decodeObject(node, {}, { fieldValidation: 'Ignore' }).object;
  const kind: TrackedKind = { apiVersion: 'v1', shape: shapeOfKind(node), blank, inVersion: () => undefined };
  const decoded = (value: unknown): Bag => {
    const { object } = decodeObject(node, structuredClone(value), { fieldValidation: 'Ignore' });
    return applyDefaults('', 'v1', 'Pod', object as ApiObject) as Bag;
  };
  const target = { group: '', resource: 'pods', hasStatus: true };
  const writer = (manager: string, subresource: string): Writer => ({
    manager,
    subresource,
    filter: writeFilter({ ...target, subresource }),
    now,
  });
  const owner = writer('kube-controller-manager', '');
  const kubelet = writer('kubelet', 'status');
  const pod = decoded(podBody);
  const made = trackCreate(kind, pod, undefined, owner);
  const running = decoded({ ...pod, status: statusOf('True') });
  const managed = trackUpdate(kind, pod, running, made, undefined, kubelet);
  const same = structuredClone(running);
  const flipped = decoded({ ...running, status: statusOf('False') });
  const labelled = decoded({ ...running, metadata: { ...podBody.metadata, labels: { app: 'web', track: 'b' } } });
  const application = { kind, live: running, config: podBody, writer: writer('gitops', ''), force: true };
  const applied = applyConfiguration({ ...application, managed }).managed;
  const encoding = encodingOf('Pod', 'v1');
  const bare = JSON.stringify(running);
  const full = { ...running, metadata: { ...(running['metadata'] as Bag), managedFields: managed } };
  const fullText = JSON.stringify(full);
  const rows: readonly (readonly [string, () => unknown])[] = [
    ['create: track', () => trackCreate(kind, pod, undefined, owner)],
    ['labels change: track', () => trackUpdate(kind, running, labelled, managed, undefined, owner)],
    ['first status: track', () => trackUpdate(kind, pod, running, made, undefined, kubelet)],
    ['a condition changes: track', () => trackUpdate(kind, running, flipped, managed, undefined, kubelet)],
    ['a status that says nothing new: track', () => trackUpdate(kind, running, same, managed, undefined, kubelet)],
    ['apply again, nothing new', () => applyConfiguration({ ...application, managed: applied })],
    ['encode for the store without managedFields', () => encodeForStorage(encoding, running as ApiObject)],
    ['encode for the store with', () => encodeForStorage(encoding, full as ApiObject)],
    ['parse without managedFields', () => JSON.parse(bare)],
    ['parse with', () => JSON.parse(fullText)],
  ];
  for (const [name, work] of rows)
    process.stdout.write(`${name.padEnd(40)} ${bestMicros(work).toFixed(1).padStart(8)} µs\n`);
  process.stdout.write(`stored bytes ${bare.length}, of managedFields ${fullText.length - bare.length}\n`);
}

/** Of this thread's processor time: other work of the machine does not count. */
function bestMicros(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const started = process.threadCpuUsage();
    for (let round = 0; round < ROUNDS; round += 1) work();
    const { user, system } = process.threadCpuUsage(started);
    best = Math.min(best, (user + system) / ROUNDS);
  }
  return best;
}

const container = (name: string) => ({
  name,
  image: `registry.example.com/team/${name}:1.2.3`,
  args: ['--verbose', '--listen=:8080', '--config=/etc/app/config.yaml'],
  env: ['A', 'B', 'C'].map((key) => ({ name: key, value: `value of ${key}` })),
  ports: [
    { containerPort: 8080, name: 'http', protocol: 'TCP' },
    { containerPort: 9090, name: 'metrics', protocol: 'TCP' },
  ],
  resources: { limits: { cpu: '1', memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
  livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10 },
  readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 5 },
  volumeMounts: [{ mountPath: '/etc/app', name: 'config', readOnly: true }],
  securityContext: { runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
});

const podBody = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-7d9f8',
    namespace: 'default',
    labels: { app: 'web', 'pod-template-hash': '7d9f8' },
    annotations: { 'example.com/checksum': '0123456789abcdef0123456789abcdef' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true }],
  },
  spec: {
    containers: [container('app'), container('sidecar')],
    volumes: [{ name: 'config', configMap: { name: 'web' } }],
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
  },
};

function statusOf(ready: string): Bag {
  return {
    phase: 'Running',
    hostIP: '10.0.0.1',
    podIP: '10.244.0.5',
    podIPs: [{ ip: '10.244.0.5' }],
    startTime: now,
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: type === 'Ready' ? ready : 'True',
      lastTransitionTime: ready === 'True' ? now : '2026-01-01T00:01:00Z',
    })),
    containerStatuses: ['app', 'sidecar'].map((name) => ({
      name,
      image: 'i',
      imageID: 'sha256:0123456789abcdef',
      containerID: 'docker://0123456789abcdef',
      ready: true,
      restartCount: 0,
      started: true,
      state: { running: { startedAt: now } },
    })),
  };
}
