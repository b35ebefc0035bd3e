import type { Deployment, Node, NodeList, Pod, Service } from '@wherry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, holds } from '../harness/eventually.ts';
import { deployEcho, echoPods, fetchText, isReady } from './echo-app.ts';
import { cluster } from './shared-cluster.ts';

const namespace = 'losses';

const readiness = (node: Node): string | undefined =>
  node.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
const restartsOf = (pods: readonly Pod[]): number =>
  pods.reduce((sum, pod) => sum + (pod.status?.containerStatuses?.[0]?.restartCount ?? 0), 0);

describe('losing parts of the cluster', () => {
  let nodePort: number | undefined;
  let addresses: ReadonlyMap<string, string>;
  beforeAll(async () => {
    await deployEcho(cluster, { namespace, replicas: 4 });
    nodePort = (await cluster.get<Service>(['service', 'echo', '-n', namespace])).spec?.ports?.[0]?.nodePort;
    const { items } = await cluster.get<NodeList>(['nodes']);
    addresses = new Map(
      items.map(({ metadata, status }) => [
        metadata?.name ?? '',
        status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '',
      ]),
    );
  });
  afterAll(() => cluster.kubectlOk(['delete', 'namespace', namespace]));

  const ask = (node: string) => fetchText(`http://${addresses.get(node)}:${nodePort}/`);
  const nodeNamed = (name: string) => cluster.get<Node>(['node', name]);

  it('keeps containers and traffic through 30 s without API server and store, and then does what was asked before', async () => {
    const before = await echoPods(cluster, namespace);
    await cluster.kubectlOk(['scale', 'deployment/echo', '--replicas=5', '-n', namespace]);
    await cluster.wherryOk(['daemon', 'kill', 'apiserver']);
    await cluster.wherryOk(['daemon', 'kill', 'store']);
    await holds(async () => {
      for (const node of addresses.keys()) expect(await ask(node)).toContain('Hello from');
    }, 30_000);
    await cluster.wherryOk(['up'], { timeoutMs: 120_000 });
    await eventually('five pods are ready', async () => {
      const after = await echoPods(cluster, namespace);
      expect(after.filter(isReady)).toHaveLength(5);
      for (const { metadata } of before) expect(after.map((pod) => pod.metadata?.uid)).toContain(metadata?.uid);
      expect(restartsOf(after)).toBe(0);
    });
    const nodes = await cluster.get<NodeList>(['nodes']);
    expect(nodes.items.map(readiness)).toEqual(['True', 'True', 'True']);
  });

  it('replaces the pods of a dead node, and the Service goes on', async () => {
    await eventually('pods on node-2', async () => {
      expect((await echoPods(cluster, namespace)).some(({ spec }) => spec?.nodeName === 'node-2')).toBe(true);
    });
    await cluster.wherryOk(['node', 'kill', 'node-2']);
    await eventually('node-2 is NotReady', async () => expect(readiness(await nodeNamed('node-2'))).toBe('Unknown'));
    expect((await nodeNamed('node-2')).spec?.taints?.map(({ key }) => key)).toContain('node.kubernetes.io/unreachable');
    await eventually('five ready pods elsewhere', async () => {
      const alive = (await echoPods(cluster, namespace)).filter(({ spec }) => spec?.nodeName !== 'node-2');
      expect(alive.filter(isReady)).toHaveLength(5);
    });
    await holds(async () => {
      for (const node of ['node-1', 'node-3']) expect(await ask(node)).toContain('Hello from');
    }, 3_000);
    await cluster.wherryOk(['node', 'start', 'node-2'], { timeoutMs: 120_000 });
    await eventually('node-2 is Ready again', async () => {
      const node = await nodeNamed('node-2');
      expect(readiness(node)).toBe('True');
      expect(node.spec?.taints ?? []).toEqual([]);
    });
    const { status } = await cluster.get<Deployment>(['deployment', 'echo', '-n', namespace]);
    expect(status?.readyReplicas).toBe(5);
  });

  it('restarts no container when a kubelet restarts', async () => {
    const before = await echoPods(cluster, namespace);
    await cluster.wherryOk(['daemon', 'kill', 'kubelet-node-1']);
    await cluster.wherryOk(['daemon', 'start', 'kubelet-node-1']);
    await eventually('node-1 is Ready', async () => expect(readiness(await nodeNamed('node-1'))).toBe('True'));
    await holds(
      async () => {
        const after = await echoPods(cluster, namespace);
        expect(after.map(({ status }) => status?.containerStatuses?.[0]?.containerID).sort()).toEqual(
          before.map(({ status }) => status?.containerStatuses?.[0]?.containerID).sort(),
        );
      },
      8_000,
      1_000,
    );
  });
});
