import type { NodeList, Service } from '@wherry/api';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deployEcho, echoPods, everyPodAnswers, fetchInPod, fetchText, isReady } from '../docker/echo-app.ts';
import { AcknowledgedWriter, clientOf } from '../harness/acknowledged-writer.ts';
import { eventually } from '../harness/eventually.ts';
import { HostsCluster, joinArguments } from './hosts-cluster.ts';
import { setCable } from './lan.ts';

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

  it('serves the README’s tour: scale, update, roll back, and a killed container comes back', async () => {
    const rolledOut = () =>
      cluster.kubectlOk(['rollout', 'status', 'deployment/echo', '-n', namespace, '--timeout=120s']);
    const nodePort = service.spec?.ports?.[0]?.nodePort;
    const ask = () => fetchText(`http://${cluster.host(2).place.address}:${nodePort}/`);
    await cluster.kubectlOk(['scale', 'deployment/echo', '-n', namespace, '--replicas=5']);
    await rolledOut();
    await cluster.kubectlOk(['set', 'image', 'deployment/echo', '-n', namespace, 'echo=wherry/echo:2']);
    await rolledOut();
    await eventually('only the new version answers', async () => expect(await ask()).toContain('version 2'));
    await cluster.kubectlOk(['rollout', 'undo', 'deployment/echo', '-n', namespace]);
    await rolledOut();
    await eventually('the old version is back', async () => expect(await ask()).toContain('version 1'));
    await cluster.kubectlOk(['scale', 'deployment/echo', '-n', namespace, '--replicas=3']);
    await eventually('three pods are left', async () => expect(await readyPods()).toHaveLength(3));
    const [victim] = await readyPods();
    const host = cluster.hosts.find(({ place }) => place.name === victim?.spec?.nodeName);
    await host?.killContainer(victim?.status?.containerStatuses?.[0]?.containerID ?? '');
    await eventually('a restart is counted, in the same pod', async () => {
      const pod = (await readyPods()).find(({ metadata }) => metadata?.uid === victim?.metadata?.uid);
      expect(pod?.status?.containerStatuses?.[0]).toMatchObject({ restartCount: 1, ready: true });
    });
  });

  it('lets the host that joined serve logs and exec like the others', async () => {
    const pod = (await readyPods()).find(({ spec }) => spec?.nodeName === cluster.joining.place.name);
    await eventually('its certificate to serve with is signed', () =>
      cluster.kubectlOk(['logs', nameOf(pod), '-n', namespace]),
    );
    const answer = await fetchInPod(cluster, namespace, nameOf(pod), 'http://localhost:8080/');
    expect(answer).toContain(`Hello from ${nameOf(pod)}`);
  });

  it('refuses hosts with a token that has expired or that nobody made, and with another authority', async () => {
    const refusal = async (node: string, args: readonly string[]): Promise<string> => {
      const elsewhere = ['--name', 'refused', '--discovery-timeout', '2s'];
      const { code, stderr } = await cluster.tryToJoin(cluster.joining, node, [...args, ...elsewhere]);
      expect(code).toBe(1);
      return stderr;
    };
    const short = joinArguments(await cluster.wherry(['token', 'create', '--ttl', '1s', '--print-join-command']));
    await eventually('the token is cleaned away', async () =>
      expect(await cluster.wherry(['token', 'list'])).not.toContain(short[2]),
    );
    expect(await refusal('host-4', short)).toContain('is invalid for this cluster or it has expired');
    const good = joinArguments(await cluster.wherry(['token', 'create', '--print-join-command']));
    const [endpoint = '', , token = '', , hash = ''] = good;
    const join = (shown: string, pin: string) => [endpoint, '--token', shown, '--discovery-token-ca-cert-hash', pin];
    expect(await refusal('host-4', join(`${token.slice(0, 6)}.0123456789abcdef`, hash))).toContain(
      "failed to verify JWS signature of received cluster info object, can't trust this API Server",
    );
    expect(await refusal('host-4', join(token, `sha256:${'0'.repeat(64)}`))).toContain(
      'cluster CA found in cluster-info ConfigMap is invalid: none of the public keys',
    );
    expect(await refusal('host-1', good)).toContain(
      'a Node with name "host-1" and status "Ready" already exists in the cluster',
    );
    expect(Object.keys(await readiness())).not.toContain('host-4');
  });

  it('writes on when the cable of the store’s leader is cut, loses no acknowledged write, and takes it back', async () => {
    const client = clientOf(cluster.kubeconfig);
    try {
      await cluster.store(['move-leader', 'host-2']);
      const writer = new AcknowledgedWriter(client, 'cut');
      await writer.progress(50);
      writer.takeLongestGapMs();
      await setCable(cluster.host(1).place, 'down');
      await writer.progress(50);
      process.stdout.write(`hosts: cable of the leader cut, writes paused for ${writer.takeLongestGapMs()} ms\n`);
      await setCable(cluster.host(1).place, 'up');
      await eventually('all three members agree on one leader, and the old one has caught up', async () => {
        const { members } = await cluster.storeStatus();
        expect(members.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
        expect(members.filter(({ leader }) => leader)).toHaveLength(1);
        const revisions = members.map(({ revision }) => revision);
        expect(Math.max(...revisions) - Math.min(...revisions)).toBeLessThan(100);
      });
      await writer.stop();
      expect(await writer.lost()).toEqual([]);
    } finally {
      await client.close();
    }
    await eventually('every host is Ready, with three pods', async () => {
      expect(Object.values(await readiness())).toEqual(['True', 'True', 'True']);
      expect(await readyPods()).toHaveLength(3);
    });
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

  it('renews the certificate of the host that joined, and kubelet and proxy go on with the new one', async () => {
    const host = cluster.joining;
    const renewals = () => [...host.joinedLog('kubelet').matchAll(/"certificate":"client".*got a certificate/g)].length;
    await eventually('it has been renewed', () => expect(renewals()).toBeGreaterThan(1), { timeoutMs: 110_000 });
    await eventually('the proxy has the new one', () => expect(host.joinedLog('proxy')).toContain('new credentials'), {
      timeoutMs: 40_000,
    });
    expect((await readiness())[host.place.name]).toBe('True');
    const requests = await cluster.kubectlOk(['get', 'csr']);
    expect(requests).toMatch(/kube-apiserver-client-kubelet\s+system:node:host-3 .*Approved,Issued/);
    expect(requests).toMatch(/kubelet-serving\s+system:node:host-3 .*Approved,Issued/);
    // What the proxy learns now, it learns over a connection with the new certificate.
    await cluster.kubectlOk(['delete', 'pods', '--all', '-n', namespace]);
    await cluster.kubectlOk(['rollout', 'status', 'deployment/echo', '-n', namespace, '--timeout=60s']);
    const names = (await readyPods()).map(nameOf);
    const nodePort = service.spec?.ports?.[0]?.nodePort;
    await everyPodAnswers(() => fetchText(`http://${host.place.address}:${nodePort}/`), names);
  }, 240_000);

  it('lets a host go, without traces, and takes it back', async () => {
    const host = cluster.joining;
    const { name } = host.place;
    const { code, stderr } = await host.wherry(['reset', '--force']);
    expect(stderr).toContain(`Node "${name}" is reset`);
    expect(code).toBe(0);
    expect(await host.traces()).toEqual({ containers: '', tables: '', routes: '' });
    await cluster.kubectlOk(['delete', 'node', name]);
    await cluster.join(host);
    expect((await readiness())[name]).toBe('True');
  });
});
