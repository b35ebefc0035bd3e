import type { Lease, Node } from '@wherry/api';
import { createMetrics, Scope, silentLogger, systemClock, systemRandom } from '@wherry/daemon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeApi } from '../testing/fake-api.ts';
import { containerOf, isReady, podOf, putPod, statusOf, until } from '../testing/test-kubelet.ts';
import { type HollowNodes, type HollowNodesConfig, startHollowNodes } from './hollow-nodes.ts';

const names = ['hollow-1', 'hollow-2', 'hollow-3'];
const config: HollowNodesConfig = {
  count: names.length,
  prefix: 'hollow',
  network: '127.128.0.0/16',
  labels: { type: 'hollow' },
  taints: [{ key: 'only', effect: 'NoSchedule' }],
  podsMax: 20,
  cpu: '32',
  memory: '256Gi',
  port: 10250,
  leaseSeconds: 1,
  defaults: { pullMs: 0, startMs: 5, stopMs: 5 },
  statusWriters: 8,
  events: { perSecond: 50, burst: 1_000 },
};

describe('startHollowNodes', () => {
  let api: FakeApi;
  let scope: Scope;

  const start = (): HollowNodes =>
    startHollowNodes(config, {
      transport: api,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      metrics: createMetrics(),
      scope,
    });
  const nodeOf = (name: string) => api.get('nodes', '', name) as unknown as Node | undefined;
  const leaseOf = (name: string) => api.get('leases', 'kube-node-lease', name) as unknown as Lease | undefined;
  const readiness = (name: string) => nodeOf(name)?.status?.conditions?.find(({ type }) => type === 'Ready');
  /** As the node IPAM controller does. */
  const giveCidrs = async () => {
    for (const [index, name] of names.entries()) {
      await until(`${name} is registered`, () => nodeOf(name));
      api.put('nodes', { ...nodeOf(name), spec: { ...nodeOf(name)?.spec, podCIDR: `10.1.${index}.0/24` } });
    }
    for (const name of names) await until(`${name} is Ready`, () => readiness(name)?.status === 'True');
  };
  const isWell = async (nodes: HollowNodes) => (await nodes.health.answer('/readyz', false))?.status === 200;

  beforeEach(() => {
    api = new FakeApi();
    scope = new Scope('test', silentLogger);
  });
  afterEach(() => scope.close());

  it('registers each node, with an address of its own, and says when all are Ready', async () => {
    const nodes = start();
    await until('the first is registered', () => nodeOf('hollow-1'));
    expect(await isWell(nodes)).toBe(false);
    expect(readiness('hollow-1')).toMatchObject({ status: 'False', reason: 'KubeletNotReady' });
    await giveCidrs();
    expect(await isWell(nodes)).toBe(true);
    expect(nodeOf('hollow-2')).toMatchObject({
      metadata: { labels: { type: 'hollow', 'kubernetes.io/hostname': 'hollow-2' } },
      spec: { taints: [{ key: 'only', effect: 'NoSchedule' }] },
      status: {
        capacity: { cpu: '32', memory: '268435456Ki', pods: '20' },
        addresses: [{ type: 'InternalIP', address: '127.128.0.2' }, { type: 'Hostname' }],
      },
    });
    expect(nodes.servedAt('127.128.0.3')?.nodeName).toBe('hollow-3');
    expect(nodes.servedAt('127.0.0.1')).toBeUndefined();
  });

  it('renews every lease, and does every write in the name of its node', async () => {
    start();
    await giveCidrs();
    for (const name of names) {
      await until(`${name} has a lease`, () => leaseOf(name));
      expect(leaseOf(name)?.metadata?.ownerReferences).toMatchObject([
        { kind: 'Node', name, uid: nodeOf(name)?.metadata?.uid },
      ]);
      const first = leaseOf(name)?.spec?.renewTime;
      await until(`${name} renews`, () => leaseOf(name)?.spec?.renewTime !== first);
    }
    putPod(api, { name: 'a', spec: { nodeName: 'hollow-2' } });
    await until('the pod is ready', () => isReady(api, 'a'));
    const writes = api.requests.filter((line) => /^(PUT|PATCH|POST|DELETE) (?!.*\/events)/.test(line));
    expect(api.actors.size).toBeGreaterThan(0);
    for (const line of new Set(writes)) expect([...api.actors].some((actor) => actor.endsWith(line))).toBe(true);
    expect([...api.actors]).toContain('system:node:hollow-2 PATCH /api/v1/namespaces/default/pods/a/status');
  });

  it('runs the pods of its own nodes, with addresses of theirs, and no others', async () => {
    start();
    await giveCidrs();
    putPod(api, { name: 'a', spec: { nodeName: 'hollow-1' } });
    putPod(api, { name: 'b', spec: { nodeName: 'hollow-3' }, container: { readinessProbe: { periodSeconds: 1 } } });
    putPod(api, { name: 'elsewhere', spec: { nodeName: 'real' } });
    for (const name of ['a', 'b']) await until(`${name} is ready`, () => isReady(api, name));
    expect(statusOf(api, 'a')).toMatchObject({ podIP: '10.1.0.2', hostIP: '127.128.0.1' });
    expect(statusOf(api, 'b')).toMatchObject({ podIP: '10.1.2.2', hostIP: '127.128.0.3' });
    expect(containerOf(api, 'a')?.containerID).toMatch(/^hollow:\/\/[0-9a-f]{64}$/);
    expect(statusOf(api, 'elsewhere')).toEqual({ phase: 'Pending' });
    api.delete('pods', 'default', 'a');
    await until('the pod is gone', () => podOf(api, 'a') === undefined);
  });

  it('goes on where a process that was killed stopped: nothing is restarted, nothing is written', async () => {
    start();
    await giveCidrs();
    const annotations = { 'hollow.wherry.io/run-time': '2s', 'hollow.wherry.io/exit-code': '1' };
    putPod(api, { name: 'a', spec: { nodeName: 'hollow-1' } });
    putPod(api, { name: 'ends', spec: { nodeName: 'hollow-1', restartPolicy: 'Never' }, annotations });
    for (const name of ['a', 'ends']) await until(`${name} is ready`, () => isReady(api, name));
    const before = podOf(api, 'a')?.metadata?.resourceVersion;
    await scope.close();
    scope = new Scope('again', silentLogger);
    api.requests.length = 0;
    const nodes = start();
    await until('all are Ready again', () => api.requests.filter((line) => line.includes('/nodes/')).length >= 3);
    await until('the pod that was to end has ended', () => statusOf(api, 'ends').phase === 'Failed');
    expect(containerOf(api, 'ends')?.state?.terminated?.exitCode).toBe(1);
    expect(podOf(api, 'a')?.metadata?.resourceVersion).toBe(before);
    expect(api.requests.filter((line) => line.startsWith('POST /api/v1/nodes'))).toEqual([]);
    expect(await isWell(nodes)).toBe(true);
    putPod(api, { name: 'next', spec: { nodeName: 'hollow-1' } });
    await until('a new pod runs', () => isReady(api, 'next'));
    expect(statusOf(api, 'next').podIP).not.toBe(statusOf(api, 'a').podIP);
  });

  it('tells what it cannot read in the annotations of a pod', async () => {
    start();
    await giveCidrs();
    const annotations = { 'hollow.wherry.io/run-time': 'long' };
    putPod(api, { name: 'a', spec: { nodeName: 'hollow-1' }, annotations });
    await until('there is an event', () =>
      api.list('events').some((event) => event['reason'] === 'InvalidHollowAnnotation'),
    );
  });

  it('becomes Ready again at once when it was taken for dead', async () => {
    start();
    await giveCidrs();
    const conditions = nodeOf('hollow-1')?.status?.conditions?.map((one) => ({ ...one, status: 'Unknown' }));
    api.put('nodes', { ...nodeOf('hollow-1'), status: { ...nodeOf('hollow-1')?.status, conditions } });
    await until('it is Ready', () => readiness('hollow-1')?.status === 'True');
  });
});
