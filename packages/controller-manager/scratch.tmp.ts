import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { resources, isNotFound, isConflict } from '@wherry/api';
import { createClient, InformerFactory, loadKubeconfig } from '@wherry/client';
import { systemClock, systemRandom, silentLogger, Scope, rfc3339 } from '@wherry/daemon';
const path = process.env.KUBECONFIG!;
const { connection } = loadKubeconfig(readFileSync(path, 'utf8'), (f) => readFileSync(resolve(dirname(path), f), 'utf8'));
const client = createClient(connection);
const scope = new Scope('s', silentLogger, (w, e) => { console.error(w, e); });
const nodes = (process.argv[2] ?? 'h1,h2,h3').split(',');
const delay = Number(process.argv[3] ?? 30);
for (const name of nodes) {
  const now = rfc3339(Date.now());
  const status = { capacity: { cpu: '64', memory: '256Gi', pods: '1000' }, allocatable: { cpu: '64', memory: '256Gi', pods: '1000' }, conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now }] };
  try { await client.create(resources.nodes, { metadata: { name, labels: { 'kubernetes.io/hostname': name } }, status }); } catch (e: any) { if (e.code !== 409) throw e; }
}
setInterval(async () => {
  for (const name of nodes) {
    const now = rfc3339(Date.now());
    try { await client.patch(resources.nodes, name, { status: { conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now }] } }, { subresource: 'status', type: 'strategic' }); } catch (e) { console.error('beat', e); }
  }
}, 1000);
let n = 0;
const pods = new InformerFactory({ client, clock: systemClock, random: systemRandom, logger: silentLogger, scope }).informer(resources.pods);
const started = new Set<string>();
pods.onChange(({ kind, object }) => {
  const { name = '', namespace = '', uid = '' } = object.metadata ?? {};
  if (kind === 'deleted' || !nodes.includes(object.spec?.nodeName ?? '')) return;
  const guard = (p: Promise<unknown>) => p.catch((e) => { if (!isNotFound(e) && !isConflict(e)) console.error(name, e.message); });
  if (object.metadata?.deletionTimestamp !== undefined) {
    setTimeout(() => guard(client.delete(resources.pods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid } })), delay);
    return;
  }
  if (started.has(uid)) return;
  started.add(uid);
  setTimeout(() => {
    const now = rfc3339(Date.now());
    const ip = `10.244.${n >> 8}.${n++ & 255}`;
    const job = object.metadata?.ownerReferences?.[0]?.kind === 'Job';
    const fail = object.metadata?.labels?.fail === 'true';
    const done = { name: 'c', image: 'x', imageID: 'x', ready: false, restartCount: 0, state: { terminated: { exitCode: fail ? 1 : 0, finishedAt: now, startedAt: now, reason: 'Completed' } } };
    const notready = object.spec?.containers[0]?.image === 'bad';
    const status = job ? { phase: fail ? 'Failed' : 'Succeeded', startTime: now, podIP: ip, podIPs: [{ ip }], containerStatuses: [done] } : { phase: 'Running', startTime: now, podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: notready ? 'False' : 'True', lastTransitionTime: now }] };
    guard(client.patch(resources.pods, name, { status }, { namespace, subresource: 'status', type: 'strategic' }));
  }, delay);
});
console.log('running');
