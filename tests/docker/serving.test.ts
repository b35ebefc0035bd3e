import type { NodeList, Service } from '@wherry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployEcho, echoPods, everyPodAnswers, fetchInPod, fetchText, isReady } from './echo-app.ts';
import { cluster } from './shared-cluster.ts';

const namespace = 'serving';

describe('a Deployment of three behind a Service', () => {
  let pods: readonly string[];
  let service: Service;

  beforeAll(async () => {
    await deployEcho(cluster, { namespace, replicas: 3 });
    pods = (await echoPods(cluster, namespace)).map(({ metadata }) => metadata?.name ?? '');
    service = await cluster.get<Service>(['service', 'echo', '-n', namespace]);
  });
  afterAll(() => cluster.kubectlOk(['delete', 'namespace', namespace]));

  it('runs on several nodes', async () => {
    const running = await echoPods(cluster, namespace);
    expect(running.filter(isReady)).toHaveLength(3);
    expect(new Set(running.map(({ spec }) => spec?.nodeName)).size).toBeGreaterThan(1);
    expect(new Set(running.map(({ status }) => status?.podIP)).size).toBe(3);
  });

  it('answers on the ClusterIP from a pod, spread over all pods', async () => {
    const url = `http://${service.spec?.clusterIP}/`;
    await everyPodAnswers(() => fetchInPod(cluster, namespace, pods[0] ?? '', url), pods);
  });

  it('answers on its DNS names from a pod', async () => {
    for (const host of ['echo', `echo.${namespace}`, `echo.${namespace}.svc.cluster.local`]) {
      expect(await fetchInPod(cluster, namespace, pods[0] ?? '', `http://${host}/`)).toContain('Hello from');
    }
  });

  it('answers on every node’s NodePort from the host, spread over all pods', async () => {
    const nodes = await cluster.get<NodeList>(['nodes']);
    const nodePort = service.spec?.ports?.[0]?.nodePort;
    for (const { status } of nodes.items) {
      const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
      await everyPodAnswers(() => fetchText(`http://${address}:${nodePort}/`), pods);
    }
  });

  it('resolves other names only where they exist, and never through Docker’s resolver', async () => {
    const inPod = (...command: string[]) => cluster.kubectl(['exec', '-n', namespace, pods[0] ?? '', '--', ...command]);
    const lookup = (name: string) =>
      inPod('node', '-e', `require('dns').lookup('${name}',(e,a)=>console.log(e?e.code:a))`);
    expect((await lookup('kubernetes.default')).stdout.trim()).toBe('10.96.0.1');
    expect((await lookup('nothing.default.svc.cluster.local')).stdout.trim()).toBe('ENOTFOUND');
    const resolvConf = await inPod(
      'node',
      '-e',
      "process.stdout.write(require('fs').readFileSync('/etc/resolv.conf','utf8'))",
    );
    expect(resolvConf.stdout).toContain('nameserver 10.96.0.10');
    expect(resolvConf.stdout).not.toContain('127.0.0.11');
  });

  it('shows logs of what a container wrote', async () => {
    const log = await cluster.kubectlOk(['logs', '-n', namespace, pods[0] ?? '']);
    expect(log).toContain('"msg":"listening"');
  });
});
