import type { Lease, Node } from '@wherry/api';
import { systemClock, systemRandom } from '@wherry/daemon';
import { afterEach, describe, expect, it } from 'vitest';
import { runCommand } from './host/commands.ts';
import { HollowRuntime } from './runtime/hollow/hollow-runtime.ts';
import type { FakeApi } from './testing/fake-api.ts';
import {
  containerOf,
  isReady,
  podOf,
  putPod,
  startTestKubelet,
  statusOf,
  type TestKubelet,
  type TestKubeletOptions,
  until,
} from './testing/test-kubelet.ts';
import { unmountBelow } from './volumes/mounts.ts';

const running: TestKubelet[] = [];

async function start(options: Partial<TestKubeletOptions> & { readonly runtime: HollowRuntime }): Promise<TestKubelet> {
  const kubelet = await startTestKubelet(options);
  running.push(kubelet);
  return kubelet;
}

const newRuntime = () =>
  new HollowRuntime({ clock: systemClock, random: systemRandom, missingImages: new Set(['gone:1']) });
const reasons = (api: FakeApi) => api.list('events').map((event) => String(event['reason']));

async function onlyContainer(runtime: HollowRuntime) {
  const pods = await runtime.list();
  const container = pods[0]?.containers[0];
  if (container === undefined) throw new Error('no container runs');
  return container;
}

describe('kubelet', () => {
  afterEach(async () => {
    for (const kubelet of running.splice(0)) await kubelet[Symbol.asyncDispose]();
  });

  it('registers its node, reports it ready and keeps its lease', async () => {
    const { api } = await start({ runtime: newRuntime() });
    await until('the node is registered', () => api.get('nodes', '', 'n1'));
    const node = api.get('nodes', '', 'n1') as unknown as Node;
    expect(node.metadata?.labels).toMatchObject({ 'kubernetes.io/hostname': 'n1', 'kubernetes.io/os': 'linux' });
    expect(node.status?.capacity).toMatchObject({ cpu: '2', memory: '4194304Ki', pods: '20' });
    expect(node.status?.conditions?.map(({ type, status }) => `${type}=${status}`)).toContain('Ready=True');
    await until('the lease is held', () => api.get('leases', 'kube-node-lease', 'n1'));
    const lease = api.get('leases', 'kube-node-lease', 'n1') as unknown as Lease;
    expect(lease.spec).toMatchObject({ holderIdentity: 'n1', leaseDurationSeconds: 40 });
    expect(reasons(api)).toContain('Starting');
  });

  it('is not ready without a pod CIDR, and runs pods once it has one', async () => {
    const { api } = await start({ runtime: newRuntime(), config: { podCidr: undefined } });
    await until('the node is registered', () => api.get('nodes', '', 'n1'));
    const ready = () =>
      (api.get('nodes', '', 'n1') as unknown as Node).status?.conditions?.find(({ type }) => type === 'Ready');
    expect(ready()).toMatchObject({ status: 'False', reason: 'KubeletNotReady' });
    putPod(api, { name: 'a' });
    await until('the pod is told to wait', () => reasons(api).includes('NetworkNotReady'));
    const node = api.get('nodes', '', 'n1') as unknown as Node;
    api.put('nodes', { ...node, spec: { podCIDR: '10.244.3.0/24' } });
    await until('the node is ready', () => ready()?.status === 'True');
    await until('the pod runs', () => statusOf(api, 'a').podIP === '10.244.3.2');
  });

  it('runs a pod, reports it, and removes every trace when it is deleted', async () => {
    const runtime = newRuntime();
    const { api } = await start({ runtime });
    putPod(api, { name: 'a' });
    await until('the pod is ready', () => isReady(api, 'a'));
    expect(statusOf(api, 'a')).toMatchObject({
      phase: 'Running',
      podIP: '10.251.7.2',
      hostIP: '127.0.0.1',
      qosClass: 'BestEffort',
    });
    expect(reasons(api)).toEqual(expect.arrayContaining(['Pulling', 'Pulled', 'Created', 'Started']));
    api.delete('pods', 'default', 'a');
    await until('the pod is gone', () => podOf(api, 'a') === undefined);
    await until('nothing is left', () => reasons(api).includes('Killing'));
    expect(await runtime.list()).toEqual([]);
  });

  it('says again that a pod is ready when somebody else has marked it as not ready', async () => {
    const { api } = await start({ runtime: newRuntime() });
    putPod(api, { name: 'a' });
    await until('the pod is ready', () => isReady(api, 'a'));
    const pod = podOf(api, 'a');
    const conditions = statusOf(api, 'a').conditions?.map((one) =>
      one.type === 'Ready' ? { ...one, status: 'False' } : one,
    );
    api.put('pods', { ...pod, status: { ...pod?.status, conditions } });
    expect(isReady(api, 'a')).toBe(false);
    await until('the pod is ready again', () => isReady(api, 'a'));
  });

  it('restarts a container in place, then backs off', async () => {
    const runtime = newRuntime();
    const { api } = await start({ runtime });
    putPod(api, { name: 'a' });
    await until('the pod runs', () => isReady(api, 'a'));
    runtime.exit((await onlyContainer(runtime)).id, 3);
    await until('it was restarted', () => containerOf(api, 'a')?.restartCount === 1 && isReady(api, 'a'));
    runtime.exit((await onlyContainer(runtime)).id, 4);
    await until('it backs off', () => containerOf(api, 'a')?.state?.waiting?.reason === 'CrashLoopBackOff');
    const { state, lastState } = containerOf(api, 'a') ?? {};
    expect(state?.waiting?.message).toMatch(/^back-off 10s restarting failed container=c pod=a_default\(.*\)$/);
    expect(lastState?.terminated).toMatchObject({ exitCode: 4, reason: 'Error' });
    expect(statusOf(api, 'a').phase).toBe('Running');
    // A restarted kubelet goes on backing off.
    await running[0]?.stop();
    await start({ runtime, api });
    await systemClock.sleep(300);
    expect((await onlyContainer(runtime)).attempt).toBe(1);
    expect(containerOf(api, 'a')?.state?.waiting?.reason).toBe('CrashLoopBackOff');
  });

  it('touches no running container when it is restarted, and keeps it ready', async () => {
    const runtime = newRuntime();
    const first = await start({ runtime });
    const { api } = first;
    putPod(api, { name: 'a', container: { readinessProbe: { exec: { command: ['true'] }, periodSeconds: 1 } } });
    await until('the pod is ready', () => isReady(api, 'a'));
    const before = await onlyContainer(runtime);
    await first.stop();
    api.requests.length = 0;
    await start({ runtime, api });
    await systemClock.sleep(300);
    expect(await onlyContainer(runtime)).toEqual(before);
    expect(isReady(api, 'a')).toBe(true);
    expect(api.requests.filter((line) => line.startsWith('PATCH') && line.includes('/pods/'))).toEqual([]);
  });

  it('ends pods that the API does not have, and leaves them alone until it knows', async () => {
    const runtime = newRuntime();
    const first = await start({ runtime });
    const { api } = first;
    putPod(api, { name: 'a' });
    await until('the pod is ready', () => isReady(api, 'a'));
    await first.stop();
    api.delete('pods', 'default', 'a', 0);
    api.away = true;
    await start({ runtime, api });
    await systemClock.sleep(300);
    expect(await runtime.list()).toHaveLength(1);
    api.away = false;
    const left = { count: 1 };
    const watch = async () => {
      while (left.count > 0) {
        left.count = (await runtime.list()).length;
        await systemClock.sleep(20);
      }
    };
    await watch();
    expect(left.count).toBe(0);
  });

  it('restarts by policy while the API server is away, and catches up', async () => {
    const runtime = newRuntime();
    const { api } = await start({ runtime });
    putPod(api, { name: 'a' });
    await until('the pod runs', () => isReady(api, 'a'));
    api.away = true;
    runtime.exit((await onlyContainer(runtime)).id, 1);
    for (let tries = 0; tries < 100 && (await onlyContainer(runtime)).attempt === 0; tries++)
      await systemClock.sleep(20);
    expect((await onlyContainer(runtime)).attempt).toBe(1);
    api.away = false;
    await until('the API knows', () => containerOf(api, 'a')?.restartCount === 1 && isReady(api, 'a'), 15_000);
  });

  it('shows images that cannot be pulled as upstream does', async () => {
    const { api } = await start({ runtime: newRuntime() });
    putPod(api, { name: 'a', container: { image: 'gone:1' } });
    await until('the pull failed', () => containerOf(api, 'a')?.state?.waiting?.reason === 'ErrImagePull');
    expect(containerOf(api, 'a')?.state?.waiting?.message).toContain('manifest unknown');
    await until('it backs off', () => containerOf(api, 'a')?.state?.waiting?.reason === 'ImagePullBackOff');
    expect(statusOf(api, 'a').phase).toBe('Pending');
    putPod(api, { name: 'b', container: { image: 'there:1', imagePullPolicy: 'Never' } });
    await until('it is never pulled', () => containerOf(api, 'b')?.state?.waiting?.reason === 'ErrImageNeverPull');
    putPod(api, { name: 'c', container: { image: 'BAD IMAGE' } });
    await until('the name is bad', () => containerOf(api, 'c')?.state?.waiting?.reason === 'InvalidImageName');
  });

  it('waits for what the environment refers to', async () => {
    const { api, rootDirectory, stop } = await start({ runtime: newRuntime(), adapters: { isHollow: false } });
    const env = [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'later', key: 'k' } } }];
    putPod(api, { name: 'a', container: { env } });
    await until('it waits', () => containerOf(api, 'a')?.state?.waiting?.reason === 'CreateContainerConfigError');
    expect(containerOf(api, 'a')?.state?.waiting?.message).toBe('configmap "later" not found');
    await stop();
    await unmountBelow(runCommand, rootDirectory);
  });

  it('runs init containers to their end before the others', async () => {
    const runtime = newRuntime();
    const { api } = await start({ runtime });
    putPod(api, { name: 'a', spec: { initContainers: [{ name: 'i', image: 'x:1' }] } });
    await until('the init container runs', () => statusOf(api, 'a').initContainerStatuses?.[0]?.state?.running);
    expect(containerOf(api, 'a')?.state?.waiting?.reason).toBe('PodInitializing');
    runtime.exit((await onlyContainer(runtime)).id, 0);
    await until('the pod runs', () => isReady(api, 'a'));
    expect(statusOf(api, 'a').initContainerStatuses?.[0]).toMatchObject({
      ready: true,
      state: { terminated: { exitCode: 0 } },
    });
  });

  it('lets a pod that is done succeed, and removes it only when told', async () => {
    const runtime = newRuntime();
    const { api } = await start({ runtime });
    putPod(api, { name: 'a', spec: { restartPolicy: 'OnFailure' } });
    await until('the pod runs', () => isReady(api, 'a'));
    runtime.exit((await onlyContainer(runtime)).id, 0);
    await until('the pod succeeded', () => statusOf(api, 'a').phase === 'Succeeded');
    expect(statusOf(api, 'a').conditions?.find(({ type }) => type === 'Ready')?.reason).toBe('PodCompleted');
    expect((await runtime.list())[0]?.containers).toHaveLength(1);
    api.delete('pods', 'default', 'a');
    await until('the pod is gone', () => podOf(api, 'a') === undefined);
  });

  it('ends a pod that outlives its deadline', async () => {
    const { api } = await start({ runtime: newRuntime() });
    putPod(api, { name: 'a', spec: { activeDeadlineSeconds: 1 } });
    await until('it failed', () => statusOf(api, 'a').phase === 'Failed');
    expect(statusOf(api, 'a').reason).toBe('DeadlineExceeded');
  });
});
