import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Deployment, Lease, Node, Pod } from '@wherry/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster } from '../harness/cluster.ts';
import { eventually } from '../harness/eventually.ts';

const count = 50;

interface Items<T> {
  readonly items: readonly T[];
}

describe('fifty hollow nodes in one process', () => {
  const cluster = new Cluster({
    name: 'hollow-ring',
    nodes: 0,
    port: 36_541,
    flags: ['--profile', 'fast', '--hollow-nodes', String(count)],
  });

  beforeAll(async () => {
    await cluster.up();
  });
  afterAll(async () => {
    await cluster.down();
    rmSync(cluster.home, { recursive: true });
  });

  const list = async <T>(...what: readonly string[]): Promise<readonly T[]> =>
    (JSON.parse(await cluster.kubectlOk(['get', ...what, '-o', 'json'])) as Items<T>).items;
  const nodes = (): Promise<readonly Node[]> => list<Node>('nodes', '-l', 'type=hollow');
  const isReady = ({ status }: Node): boolean =>
    status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
  const readyNodes = (wanted: number): Promise<void> =>
    eventually(`${wanted} nodes are Ready`, async () => {
      expect((await nodes()).filter(isReady)).toHaveLength(wanted);
    });
  const podsOf = (app: string): Promise<readonly Pod[]> => list<Pod>('pods', '-l', `app=${app}`);
  const allReady = (name: string, replicas: number, timeoutMs = 60_000): Promise<void> =>
    eventually(
      `deployment ${name} is ready`,
      async () => {
        const { status } = await cluster.get<Deployment>(['deployment', name]);
        expect(status?.readyReplicas).toBe(replicas);
        expect(status?.replicas).toBe(replicas);
      },
      { timeoutMs },
    );
  /** Names, addresses and restarts: what must not change while nothing is done to a pod. */
  const identities = async (app: string): Promise<readonly string[]> =>
    (await podsOf(app)).map(({ metadata, status }) => {
      const [main] = status?.containerStatuses ?? [];
      return `${metadata?.uid} ${status?.podIP} ${main?.containerID} ${main?.restartCount}`;
    });

  const steady = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'steady' },
    spec: {
      replicas: 100,
      selector: { matchLabels: { app: 'steady' } },
      template: {
        metadata: { labels: { app: 'steady' } },
        spec: {
          tolerations: [{ operator: 'Exists' }],
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image: 'any:1', readinessProbe: { httpGet: { port: 80 }, periodSeconds: 1 } }],
        },
      },
    },
  };

  test('all are Ready, each with a name, labels, an address and pod addresses of its own', async () => {
    const found = await nodes();
    expect(found.filter(isReady)).toHaveLength(count);
    const addresses = found.map(({ status }) => status?.addresses?.find(({ type }) => type === 'InternalIP')?.address);
    expect(new Set(addresses).size).toBe(count);
    expect(new Set(found.map(({ spec }) => spec?.podCIDR)).size).toBe(count);
    for (const { metadata } of found) expect(metadata?.labels?.['kubernetes.io/hostname']).toBe(metadata?.name);
    expect(await cluster.wherryOk(['status'])).toMatch(/hollow-nodes +hollow-nodes +\d+ +healthy/);
  });

  test('a Deployment spreads over them and becomes ready, a DaemonSet has a pod on each, a Job completes', async () => {
    await cluster.apply(JSON.stringify(steady));
    await allReady('steady', 100);
    const pods = await podsOf('steady');
    expect(new Set(pods.map(({ spec }) => spec?.nodeName)).size).toBe(count);
    expect(new Set(pods.map(({ status }) => status?.podIP)).size).toBe(100);
    const { replicas: _, ...each } = steady.spec;
    const labels = { matchLabels: { app: 'each' } };
    const template = { ...each.template, metadata: { labels: labels.matchLabels } };
    const set = {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'each' },
      spec: { selector: labels, template },
    };
    await cluster.apply(JSON.stringify(set));
    await cluster.kubectlOk(['rollout', 'status', 'daemonset/each', '--timeout=60s']);
    expect(await podsOf('each')).toHaveLength(count);
    await cluster.kubectlOk(['delete', 'daemonset', 'each']);
    await cluster.kubectlOk(['create', 'job', 'once', '--image=any:1']);
    await cluster.kubectlOk(['wait', 'job/once', '--for=condition=Complete', '--timeout=60s']);
  });

  test('pods behave as their annotations say', async () => {
    const annotations = { 'hollow.wherry.io/run-time': '200ms', 'hollow.wherry.io/exit-code': '7' };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'crashes', annotations },
      spec: { containers: [{ name: 'main', image: 'any:1' }] },
    };
    await cluster.apply(JSON.stringify(pod));
    await eventually('it backs off', async () => {
      const [main] = (await cluster.get<Pod>(['pod', 'crashes'])).status?.containerStatuses ?? [];
      expect(main?.state?.waiting?.reason).toBe('CrashLoopBackOff');
      expect(main?.lastState?.terminated?.exitCode).toBe(7);
    });
    await cluster.kubectlOk(['delete', 'pod', 'crashes']);
  });

  test('logs say what they are of; what needs a process is refused with a reason', async () => {
    const [pod] = await podsOf('steady');
    const name = pod?.metadata?.name ?? '';
    expect(await cluster.kubectlOk(['logs', name])).toContain(
      `hollow: simulated container "main" of pod "default/${name}"`,
    );
    const { code, stderr } = await cluster.kubectl(['exec', name, '--', 'ls']);
    expect(code).not.toBe(0);
    expect(stderr).toContain('is simulated (its node is hollow)');
  });

  test('every lease is renewed', async () => {
    const renewals = async (): Promise<ReadonlyMap<string, string>> => {
      const leases = await list<Lease>('leases', '-n', 'kube-node-lease');
      return new Map(leases.map(({ metadata, spec }) => [metadata?.name ?? '', spec?.renewTime ?? '']));
    };
    const before = await renewals();
    expect(before.size).toBe(count);
    await eventually('all leases are newer', async () => {
      const after = await renewals();
      expect([...before].filter(([name, time]) => (after.get(name) ?? '') <= time)).toEqual([]);
    });
  });

  test('killed, its nodes are NotReady; back, they are Ready, and no pod was restarted', async () => {
    const before = await identities('steady');
    await cluster.wherryOk(['daemon', 'kill', 'hollow-nodes']);
    await readyNodes(0);
    await cluster.wherryOk(['daemon', 'start', 'hollow-nodes']);
    await readyNodes(count);
    await allReady('steady', 100);
    expect([...(await identities('steady'))].sort()).toEqual([...before].sort());
  });

  test('paused, its nodes are NotReady; resumed, they are Ready', async () => {
    await cluster.wherryOk(['daemon', 'pause', 'hollow-nodes']);
    await readyNodes(0);
    await cluster.wherryOk(['daemon', 'resume', 'hollow-nodes']);
    await readyNodes(count);
    await allReady('steady', 100);
  });

  test('a drained node loses its pods', async () => {
    const [pod] = await podsOf('steady');
    const name = pod?.spec?.nodeName ?? '';
    await cluster.kubectlOk(['cordon', name]);
    await cluster.kubectlOk(['drain', name, '--timeout=60s', '--force']);
    // Tolerating everything, they may come back to the very same node: only those that ran are gone.
    expect((await podsOf('steady')).map(({ metadata }) => metadata?.uid)).not.toContain(pod?.metadata?.uid);
    await cluster.kubectlOk(['uncordon', name]);
    await allReady('steady', 100);
  });

  test('fewer nodes: their objects go, their pods run elsewhere; more again', async () => {
    await cluster.wherryOk(['up', '--hollow-nodes', '20']);
    await readyNodes(20);
    expect(await nodes()).toHaveLength(20);
    const left = new Set((await nodes()).map(({ metadata }) => metadata?.name));
    await eventually(
      'no pod is on a node that is gone',
      async () => {
        const lost = (await podsOf('steady')).filter(({ spec }) => !left.has(spec?.nodeName));
        expect(lost).toEqual([]);
      },
      { timeoutMs: 110_000 },
    );
    await allReady('steady', 100);
    await cluster.wherryOk(['up', '--hollow-nodes', '60']);
    await readyNodes(60);
    const config = JSON.parse(readFileSync(join(cluster.home, cluster.name, 'cluster.json'), 'utf8'));
    expect(config).toMatchObject({ hollowNodes: 60 });
  }, 240_000);

  test('none any more: the process ends and all its nodes go', async () => {
    await cluster.wherryOk(['up', '--hollow-nodes', '0']);
    expect(await nodes()).toEqual([]);
    expect(await cluster.wherryOk(['status'])).not.toContain('hollow-nodes');
    await cluster.wherryOk(['up', '--hollow-nodes', '2']);
    await readyNodes(2);
  });
});
