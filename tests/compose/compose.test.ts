import type { ConfigMap, Deployment, Endpoints, Lease, Pod } from '@wherry/api';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { echoPods, everyPodAnswers, fetchInPod, fetchText, isReady } from '../docker/echo-app.ts';
import { eventually } from '../harness/eventually.ts';
import { ComposeCluster } from './compose-cluster.ts';

const cluster = new ComposeCluster();
const workers = ['worker-1', 'worker-2', 'worker-3'];
const nameOf = (pod: Pod | undefined): string => pod?.metadata?.name ?? '';

const rolledOut = () => cluster.kubectlOk(['rollout', 'status', 'deployment/echo', '--timeout=60s']);
const readyPods = async () => (await echoPods(cluster, 'default')).filter(isReady);

function nodesReady(): Promise<void> {
  return eventually('three nodes are Ready', async () =>
    expect([...(await cluster.readyNodes()).keys()].sort()).toEqual(workers),
  );
}

/** Every ready pod answers at the node port, and there are as many as there should be. */
function serves(pods: number): Promise<void> {
  return eventually(`${pods} pods behind the node port`, async () => {
    const names = (await readyPods()).map(nameOf);
    expect(names).toHaveLength(pods);
    await everyPodAnswers(() => fetchText(cluster.echoUrl), names);
  });
}

describe('the cluster of docker-compose.yml', () => {
  beforeAll(async () => {
    await cluster.prepare();
    try {
      await cluster.up();
      await nodesReady();
    } catch (error) {
      console.error(await cluster.lastWords());
      throw error;
    }
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(await cluster.lastWords());
  });
  afterAll(async () => {
    await cluster.remove();
    await cluster.close();
  });

  it.each([
    'store-1',
    'apiserver-1',
    'balancer',
    'scheduler-1',
    'controller-manager-2',
    'dns',
  ])('lets %s be nobody, who may do nothing and write nowhere but to its volume', async (service) => {
    const status = await cluster.inside(service, 'cat /proc/1/status');
    expect(status).toMatch(/^Uid:\t65532\t/m);
    for (const set of ['CapEff', 'CapPrm', 'CapBnd']) expect(status).toContain(`${set}:\t0000000000000000`);
    expect(status).toContain('NoNewPrivs:\t1');
    expect(await cluster.inside(service, 'touch /x /tmp/x /credentials/x 2>&1 || :')).toMatch(
      /(Read-only file system[\s\S]*){3}/,
    );
  });

  it('gives each service the credentials of its own role only', async () => {
    const files = async (service: string) =>
      (await cluster.inside(service, 'cd /credentials && ls')).trim().split('\n').sort();
    expect(await files('store-2')).toEqual(['ca.crt', 'peer.crt', 'peer.key', 'server.crt', 'server.key']);
    expect(await files('scheduler-1')).toEqual(['ca.crt', 'kubeconfig']);
    expect(await files('balancer')).toEqual(['ca.crt']);
    expect(await files('worker-3')).toEqual(['ca.crt', 'kubelet.conf', 'kubelet.crt', 'kubelet.key', 'proxy.conf']);
    expect(await files('apiserver-2')).not.toContain('ca.key');
  });

  it('serves the README’s tour', async () => {
    await cluster.kubectlOk(['apply', '-f', 'examples/echo.yaml']);
    await rolledOut();
    expect(new Set((await readyPods()).map(({ spec }) => spec?.nodeName))).toEqual(new Set(workers));
    await serves(3);
    const [pod] = await readyPods();
    expect(await fetchInPod(cluster, 'default', nameOf(pod), 'http://echo')).toMatch(/^Hello from/);
    expect(await cluster.kubectlOk(['logs', nameOf(pod)])).toContain('listening');
    await cluster.kubectlOk(['scale', 'deployment/echo', '--replicas=5']);
    await rolledOut();
    await cluster.kubectlOk(['set', 'image', 'deployment/echo', 'echo=wherry/echo:2']);
    await rolledOut();
    await eventually('only the new version answers', async () =>
      expect(await fetchText(cluster.echoUrl)).toContain('version 2'),
    );
    await serves(5);
  });

  it('starts a killed container again, in its pod', async () => {
    const [pod] = await readyPods();
    const line = `docker kill $(docker ps -q --filter label=io.kubernetes.container.name=echo --filter label=io.kubernetes.pod.name=${nameOf(pod)})`;
    await cluster.inside(pod?.spec?.nodeName ?? '', line);
    await eventually('a restart is counted', async () => {
      const again = await cluster.get<Pod>(['pod', nameOf(pod)]);
      expect(again.status?.containerStatuses?.[0]).toMatchObject({ restartCount: 1, ready: true });
    });
  });

  it('leaves containers alone when an engine dies, and starts the engine again', async () => {
    const containers = async () =>
      (await readyPods())
        .filter(({ spec }) => spec?.nodeName === 'worker-1')
        .map(({ status }) => status?.containerStatuses?.[0]?.containerID?.replace('docker://', ''));
    const before = await containers();
    expect(before.length).toBeGreaterThan(0);
    await cluster.inside('worker-1', 'kill -9 $(cat /var/run/docker.pid)');
    await eventually('the engine answers', async () =>
      expect((await cluster.inside('worker-1', 'docker ps -q --no-trunc')).split('\n')).toEqual(
        expect.arrayContaining(before),
      ),
    );
    await cluster.inside('worker-1', 'docker version');
    expect(await containers()).toEqual(before);
    await nodesReady();
  });

  it('works on without a store, an API server, the leading scheduler and the leading controller manager', async () => {
    const leaders = await Promise.all(
      ['kube-scheduler', 'kube-controller-manager'].map(async (name) => {
        const lease = await cluster.get<Lease>(['lease', name, '-n', 'kube-system']);
        return lease.spec?.holderIdentity?.split('_')[0] ?? name;
      }),
    );
    const killed = ['store-1', 'apiserver-1', ...leaders];
    await cluster.compose(['kill', ...killed]);
    await cluster.kubectlOk(['create', 'configmap', 'written-without', '--from-literal=them=yes']);
    await cluster.kubectlOk(['scale', 'deployment/echo', '--replicas=4']);
    await serves(4);
    await cluster.kubectlOk(['scale', 'deployment/echo', '--replicas=6']);
    await serves(6);
    await cluster.compose(['start', ...killed]);
  });

  it('keeps everything over down and up, with other addresses', async () => {
    const before = {
      nodes: await cluster.readyNodes(),
      deployment: await cluster.get<Deployment>(['deployment', 'echo']),
      pods: (await readyPods()).map(nameOf).sort(),
    };
    const subnet = await cluster.subnet();
    await cluster.down();
    await cluster.occupyNetwork(subnet);
    await cluster.up();
    await eventually('every node has another address', async () => {
      const nodes = await cluster.readyNodes();
      expect([...nodes.keys()].sort()).toEqual(workers);
      for (const [name, address] of nodes) expect(address).not.toBe(before.nodes.get(name));
    });
    const { data } = await cluster.get<ConfigMap>(['configmap', 'written-without']);
    expect(data).toEqual({ them: 'yes' });
    const deployment = await cluster.get<Deployment>(['deployment', 'echo']);
    expect(deployment.metadata?.uid).toBe(before.deployment.metadata?.uid);
    await serves(6);
    expect((await readyPods()).map(nameOf).sort()).toEqual(before.pods);
    await eventually('the servers that are gone leave the endpoints', async () => {
      const endpoints = await cluster.get<Endpoints>(['endpoints', 'kubernetes']);
      const addresses = endpoints.subsets?.[0]?.addresses?.map(({ ip }) => ip).sort();
      const own = ['apiserver-1', 'apiserver-2'].map((service) => cluster.inside(service, 'hostname -i'));
      expect(addresses).toEqual((await Promise.all(own)).map((text) => text.trim()).sort());
    });
  });
});
