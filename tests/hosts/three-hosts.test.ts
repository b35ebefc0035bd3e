import type { NodeList, Service } from '@wherry/api';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deployEcho, echoPods, everyPodAnswers, fetchInPod, fetchText, isReady } from '../docker/echo-app.ts';
import { eventually } from '../harness/eventually.ts';
import { HostsCluster } from './hosts-cluster.ts';

const namespace = 'hosts';
const cluster = new HostsCluster();

/** Ready condition of each node by name. */
async function readiness(): Promise<Record<string, string>> {
  const { items } = await cluster.get<NodeList>(['nodes']);
  return Object.fromEntries(
    items.map(({ metadata, status }) => [
      metadata?.name ?? '',
      status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'none',
    ]),
  );
}

const readyPods = async () => (await echoPods(cluster, namespace)).filter(isReady);
const nameOf = (pod: Awaited<ReturnType<typeof readyPods>>[number] | undefined): string => pod?.metadata?.name ?? '';

describe('a cluster of three hosts, each with an engine of its own, started daemon by daemon', () => {
  let service: Service;

  beforeAll(async () => {
    try {
      await cluster.build();
      await cluster.start();
      await eventually('all nodes are Ready', async () =>
        expect(await readiness()).toEqual({ 'host-1': 'True', 'host-2': 'True', 'host-3': 'True' }),
      );
      await deployEcho(cluster, { namespace, replicas: 3 });
      service = await cluster.get<Service>(['service', 'echo', '-n', namespace]);
    } catch (error) {
      console.error(cluster.lastWords());
      throw error;
    }
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(cluster.lastWords());
  });
  afterAll(() => cluster.remove());

  it('spreads pods over the hosts, whose addresses are the hosts’ own', async () => {
    const pods = await readyPods();
    expect(pods).toHaveLength(3);
    expect(new Set(pods.map(({ spec }) => spec?.nodeName)).size).toBe(3);
    const { items } = await cluster.get<NodeList>(['nodes']);
    expect(items.map(({ status }) => status?.addresses?.find(({ type }) => type === 'InternalIP')?.address)).toEqual(
      cluster.hosts.map(({ place }) => place.address),
    );
  });

  it('leads from pod to pod across hosts, both ways', async () => {
    const [one, other] = await readyPods();
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const answer = await fetchInPod(cluster, namespace, nameOf(from), `http://${to?.status?.podIP}:8080/`);
      expect(answer).toContain(`Hello from ${nameOf(to)}`);
    }
  });

  it('serves the Service by ClusterIP and by name, from every host', async () => {
    const pods = await readyPods();
    const names = pods.map(nameOf);
    for (const name of names) {
      const ask = (host: string) => fetchInPod(cluster, namespace, name, `http://${host}/`);
      expect(await ask('echo')).toContain('Hello from');
      expect(await ask(`echo.${namespace}.svc.cluster.local`)).toContain('Hello from');
    }
    await everyPodAnswers(
      () => fetchInPod(cluster, namespace, names[0] ?? '', `http://${service.spec?.clusterIP}/`),
      names,
    );
  });

  it('answers on the NodePort of each host’s address', async () => {
    const names = (await readyPods()).map(nameOf);
    const nodePort = service.spec?.ports?.[0]?.nodePort;
    for (const { place } of cluster.hosts)
      await everyPodAnswers(() => fetchText(`http://${place.address}:${nodePort}/`), names);
  });

  it('goes on when a host loses power: store, kubelet, proxy, engine and containers at once', async () => {
    const lost = cluster.host(1);
    await cluster.cutPower(lost);
    await eventually('host-2 is not Ready', async () => expect((await readiness())['host-2']).toBe('Unknown'));
    await eventually('its pod is replaced elsewhere', async () => {
      const pods = await readyPods();
      expect(pods).toHaveLength(3);
      expect(pods.map(({ spec }) => spec?.nodeName)).not.toContain('host-2');
    });
    const names = (await readyPods()).map(nameOf);
    const nodePort = service.spec?.ports?.[0]?.nodePort;
    for (const host of [cluster.first, cluster.host(2)])
      await everyPodAnswers(() => fetchText(`http://${host.place.address}:${nodePort}/`), names);
  });

  it('takes the host back, and leaves none of its old pods', async () => {
    const back = cluster.host(1);
    await back.startEngine();
    await back.start('store');
    await back.listens(2379);
    await cluster.startNode(back);
    await eventually('host-2 is Ready again', async () => expect((await readiness())['host-2']).toBe('True'));
    await eventually('old pods are gone', async () => {
      const pods = await cluster.get<{ items: unknown[] }>(['pods', '-n', namespace]);
      expect(pods.items).toHaveLength(3);
    });
    const nodePort = service.spec?.ports?.[0]?.nodePort;
    await eventually('its NodePort answers', () => fetchText(`http://${back.place.address}:${nodePort}/`));
  });
});
