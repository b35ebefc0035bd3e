import { rmSync } from 'node:fs';
import { type EndpointSlice, type Pod, resources } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AcknowledgedWriter, clientOf } from '../harness/acknowledged-writer.ts';
import { Cluster } from '../harness/cluster.ts';
import { eventually } from '../harness/eventually.ts';

interface DaemonStatus {
  readonly name: string;
  readonly kind: string;
  readonly pid: number;
  readonly addresses: readonly string[];
  readonly healthy: boolean;
  readonly leader: boolean;
}

const several = ['--stores', '3', '--apiservers', '2', '--schedulers', '2', '--controller-managers', '2'];

async function statusOf(cluster: Cluster): Promise<readonly DaemonStatus[]> {
  return JSON.parse(await cluster.wherryOk(['status', '-o', 'json'])).daemons;
}

const allHealthy = (cluster: Cluster): Promise<void> =>
  eventually('all daemons are healthy', async () => {
    expect((await statusOf(cluster)).filter(({ healthy }) => !healthy)).toEqual([]);
  });

const leader = (cluster: Cluster, kind: string): Promise<string> =>
  eventually(`one ${kind} leads`, async () => {
    const leaders = (await statusOf(cluster)).filter((daemon) => daemon.kind === kind && daemon.leader);
    expect(leaders).toHaveLength(1);
    return leaders[0]?.name ?? '';
  });

const kill = (cluster: Cluster, ...names: readonly string[]): Promise<unknown> =>
  Promise.all(names.map((name) => cluster.wherryOk(['daemon', 'kill', name])));

/** One after another: each takes the cluster's lock. */
async function start(cluster: Cluster, ...names: readonly string[]): Promise<void> {
  for (const name of names) await cluster.wherryOk(['daemon', 'start', name]);
}

const endpointsOf = async (cluster: Cluster): Promise<readonly string[]> =>
  ((await cluster.get<EndpointSlice>(['endpointslice', 'kubernetes'])).endpoints ?? []).flatMap(
    ({ addresses }) => addresses,
  );

const podOf = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'main', image: 'wherry/echo:1' }] },
  });

const hostOf = (address = ''): string => address.slice(0, address.lastIndexOf(':'));

function report(what: string, ms: number): void {
  process.stdout.write(`several: ${what}: ${ms} ms\n`);
}

describe('three stores, two API servers, two schedulers, two controller-managers', () => {
  const cluster = new Cluster({
    name: 'several',
    nodes: 1,
    port: 17472,
    flags: ['--runtime', 'hollow', '--profile', 'fast', ...several],
  });
  let client: ApiClient;

  beforeAll(async () => {
    const startMs = performance.now();
    await cluster.up();
    report('cluster of 3/2/2/2 is up after', Math.round(performance.now() - startMs));
    client = clientOf(cluster.kubeconfig);
    await cluster.apply(podOf('steady'));
    await cluster.kubectlOk(['wait', 'pod/steady', '--for=condition=Ready', '--timeout=30s']);
  });
  afterAll(async () => {
    await client?.close();
    await cluster.down();
    rmSync(cluster.home, { recursive: true });
  });

  const isSteady = async (): Promise<void> => {
    const { status } = await cluster.get<Pod>(['pod', 'steady']);
    expect(status?.phase).toBe('Running');
    expect(status?.containerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0]);
  };

  test('status shows who leads, and who is meant has to be said', async () => {
    await allHealthy(cluster);
    for (const kind of ['store', 'scheduler', 'controller-manager']) await leader(cluster, kind);
    const servers = (await statusOf(cluster)).filter(({ kind }) => kind === 'apiserver' || kind === 'balancer');
    expect(servers.map(({ name }) => name)).toEqual(['apiserver-1', 'apiserver-2', 'balancer']);
    expect(servers[2]?.addresses).toContain('127.0.0.1:17472');
    const own = servers.slice(0, 2).map(({ addresses }) => hostOf(addresses[0]));
    expect([...(await endpointsOf(cluster))].sort()).toEqual(own);
    const { code, stderr } = await cluster.wherry(['daemon', 'kill', 'store']);
    expect(code).toBe(1);
    expect(stderr).toContain('has several of kind "store": name one of store-1, store-2, store-3');
  });

  test('the store leader dies: no acknowledged write is lost, writes go on, and watches do not notice', async () => {
    const { metadata } = await client.list(resources.configmaps, { namespace: 'default' });
    const stop = new AbortController();
    const seen = new Set<string>();
    const watch = client.watch(resources.configmaps, {
      namespace: 'default',
      resourceVersion: metadata?.resourceVersion ?? '',
      signal: stop.signal,
    });
    let watchEnded: unknown;
    const watching = (async () => {
      for await (const { object } of watch) seen.add(object.metadata?.name ?? '');
      watchEnded = new Error('the stream ended');
    })().catch((error: unknown) => {
      watchEnded = error;
    });
    const writer = new AcknowledgedWriter(client, 'leader');
    await writer.progress(50);
    for (let round = 0; round < 2; round++) {
      const name = await leader(cluster, 'store');
      writer.takeLongestGapMs();
      await kill(cluster, name);
      await writer.progress(50);
      report(`${name} killed, longest gap between acknowledged writes`, writer.takeLongestGapMs());
      await start(cluster, name);
      await allHealthy(cluster);
    }
    await writer.stop();
    expect(await writer.lost()).toEqual([]);
    await eventually('the watch has seen every write', () => {
      expect([...writer.acknowledged].filter((one) => !seen.has(one))).toEqual([]);
    });
    expect(watchEnded).toBeUndefined();
    stop.abort();
    await watching;
  });

  test('the store leader falls silent: the others take over within a few seconds', async () => {
    const writer = new AcknowledgedWriter(client, 'silent');
    await writer.progress(20);
    const name = await leader(cluster, 'store');
    writer.takeLongestGapMs();
    await cluster.wherryOk(['daemon', 'pause', name]);
    await writer.progress(20);
    report(`${name} paused, longest gap between acknowledged writes`, writer.takeLongestGapMs());
    await cluster.wherryOk(['daemon', 'resume', name]);
    await writer.stop();
    expect(await writer.lost()).toEqual([]);
    await allHealthy(cluster);
  });

  test('an API server dies: clients go on through the balancer, and the endpoints lose it', async () => {
    const [dead] = (await statusOf(cluster)).filter(({ name }) => name === 'apiserver-1');
    const address = hostOf(dead?.addresses[0]);
    const writer = new AcknowledgedWriter(client, 'server');
    await writer.progress(20);
    writer.takeLongestGapMs();
    await kill(cluster, 'apiserver-1');
    const killedMs = performance.now();
    await writer.progress(20);
    report('apiserver-1 killed, longest gap between acknowledged writes', writer.takeLongestGapMs());
    await writer.stop();
    expect(await writer.lost()).toEqual([]);
    await eventually(
      'the dead server is out of the endpoints',
      async () => {
        const addresses = await endpointsOf(cluster);
        expect(addresses).toHaveLength(1);
        expect(addresses).not.toContain(address);
      },
      { timeoutMs: 22_000 },
    );
    report('apiserver-1 killed, out of the endpoints after', Math.round(performance.now() - killedMs));
    await start(cluster, 'apiserver-1');
    await eventually('it is back', async () => expect(await endpointsOf(cluster)).toContain(address));
  });

  test('the leading scheduler and controller-manager die: the others take over', async () => {
    const names = [await leader(cluster, 'scheduler'), await leader(cluster, 'controller-manager')];
    await kill(cluster, ...names);
    const killedMs = performance.now();
    await cluster.apply(podOf('later'));
    await cluster.kubectlOk(['create', 'deployment', 'later', '--image=wherry/echo:1']);
    await cluster.kubectlOk(['wait', 'pod/later', '--for=condition=Ready', '--timeout=30s']);
    report(`${names[0]} killed, the other had bound a new pod after`, Math.round(performance.now() - killedMs));
    await cluster.kubectlOk(['wait', 'deployment/later', '--for=condition=Available', '--timeout=30s']);
    expect(await leader(cluster, 'scheduler')).not.toBe(names[0]);
    expect(await leader(cluster, 'controller-manager')).not.toBe(names[1]);
    await start(cluster, ...names);
    await allHealthy(cluster);
  });

  test('quorum is lost: writes fail and say why, what runs stays; with quorum again all is there', async () => {
    const others = (await statusOf(cluster)).filter(({ kind, leader: leads }) => kind === 'store' && !leads);
    const names = others.map(({ name }) => name);
    await cluster.kubectlOk(['create', 'configmap', 'before']);
    await kill(cluster, ...names);
    const { code, stderr } = await cluster.kubectl(['create', 'configmap', 'without-quorum'], { timeoutMs: 40_000 });
    expect(code).toBe(1);
    expect(stderr).toMatch(/no leader|no endpoint is reachable|request timed out|leader changed/);
    const pids = (await statusOf(cluster)).filter(({ kind }) => kind === 'apiserver' || kind === 'kubelet');
    expect(pids.every(({ pid }) => pid > 0)).toBe(true);
    await start(cluster, ...names);
    await eventually('writes go on', () => cluster.kubectlOk(['create', 'configmap', 'after']));
    await cluster.kubectlOk(['get', 'configmap', 'before', 'after']);
    // Schedulers and controller-managers that could not renew their leases have ended, as upstream's do.
    await cluster.wherryOk(['up']);
    await allHealthy(cluster);
    await isSteady();
  });

  test('all stores die at once and come back with everything', async () => {
    const names = ['store-1', 'store-2', 'store-3'];
    await kill(cluster, ...names);
    await start(cluster, ...names);
    await eventually('the cluster answers', () => cluster.kubectlOk(['get', 'configmap', 'before', 'after']));
    await cluster.wherryOk(['up']);
    await allHealthy(cluster);
    await isSteady();
  });
});

test('a cluster of one each grows and shrinks, except for its store', async () => {
  const cluster = new Cluster({ name: 'growing', nodes: 0, port: 17473 });
  try {
    await cluster.up();
    await cluster.kubectlOk(['create', 'namespace', 'kept']);
    const refused = await cluster.wherry(['up', '--stores', '3']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('wherry: Cannot change the store of cluster "growing" from 1 to 3 members');
    const store = (await statusOf(cluster)).find(({ kind }) => kind === 'store');
    await cluster.wherryOk(['up', '--apiservers', '2', '--schedulers', '2', '--controller-managers', '3']);
    await allHealthy(cluster);
    const daemons = await statusOf(cluster);
    expect(daemons.map(({ name }) => name)).toEqual([
      'store-1',
      'apiserver-1',
      'apiserver-2',
      'balancer',
      'scheduler-1',
      'scheduler-2',
      'controller-manager-1',
      'controller-manager-2',
      'controller-manager-3',
    ]);
    expect(daemons[0]?.pid).toBe(store?.pid);
    expect(daemons[3]?.addresses).toContain('127.0.0.1:17473');
    await cluster.kubectlOk(['get', 'namespace', 'kept']);
    await eventually('only servers that are there are endpoints', async () => {
      const own = daemons.slice(1, 3).map(({ addresses }) => hostOf(addresses[0]));
      expect([...(await endpointsOf(cluster))].sort()).toEqual(own);
    });
    await cluster.wherryOk(['up', '--apiservers', '1']);
    await allHealthy(cluster);
    expect((await statusOf(cluster)).map(({ kind }) => kind)).not.toContain('balancer');
    await cluster.kubectlOk(['get', 'namespace', 'kept']);
  } finally {
    await cluster.down();
    rmSync(cluster.home, { recursive: true });
  }
});
