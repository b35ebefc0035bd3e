import { type CronJob, type DaemonSet, type Pod, resources, type StatefulSet } from '@wherry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { deployment, job } from './testing/objects.ts';
import { World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

const images = (pods: readonly Pod[]) => pods.map((pod) => pod.spec?.containers[0]?.image).sort();
const pods = () => world.api.list(resources.pods);
const stored = () => world.api.list(resources.deployments)[0];

describe('Deployment and ReplicaSet', () => {
  const start = () => {
    world = new World('deployment-controller', 'replicaset-controller');
  };

  it('creates pods, scales, updates and rolls on without ever being too few', async () => {
    start();
    await world.client.create(resources.deployments, deployment('v1'));
    await world.run(1_000);
    expect(images(pods())).toEqual(['v1', 'v1', 'v1']);
    expect(stored()?.status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    });
    expect(stored()?.metadata?.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
    await world.client.patch(resources.deployments, 'web', { spec: { replicas: 5 } }, { namespace: 'ns' });
    await world.run(1_000);
    expect(pods().length).toBe(5);
    await world.client.patch(
      resources.deployments,
      'web',
      { spec: { template: deployment('v2').spec?.template } },
      { namespace: 'ns' },
    );
    for (let turn = 0; turn < 50; turn++) {
      await world.run(100);
      const ready = pods().filter(
        (pod) => pod.metadata?.deletionTimestamp === undefined && pod.status?.phase === 'Running',
      );
      expect(ready.length).toBeGreaterThanOrEqual(4);
      expect(pods().filter((pod) => pod.metadata?.deletionTimestamp === undefined).length).toBeLessThanOrEqual(7);
    }
    expect(images(pods())).toEqual(['v2', 'v2', 'v2', 'v2', 'v2']);
    expect(
      stored()
        ?.status?.conditions?.map(({ reason }) => reason)
        .sort(),
    ).toEqual(['MinimumReplicasAvailable', 'NewReplicaSetAvailable']);
    const reasons = world.api
      .list(resources.events)
      .map(({ reason, message }) => `${reason} ${message?.replace(/web-\w+/, 'RS')}`);
    expect(reasons).toContain('ScalingReplicaSet Scaled up replica set RS from 0 to 3');
  });

  it('replaces a pod that is deleted, exactly once', async () => {
    start();
    await world.client.create(resources.deployments, deployment('v1'));
    await world.run(1_000);
    const created = world.api.writes.filter((write) => write.startsWith('POST pods')).length;
    await world.client.delete(resources.pods, pods()[0]?.metadata?.name ?? '', { namespace: 'ns' });
    await world.run(1_000);
    expect(pods().length).toBe(3);
    expect(world.api.writes.filter((write) => write.startsWith('POST pods')).length).toBe(created + 1);
  });

  it('ends in the same state when it is restarted at any moment', async () => {
    start();
    await world.client.create(resources.deployments, deployment('v1', 4));
    await world.run(1_000);
    await world.client.patch(
      resources.deployments,
      'web',
      { spec: { template: deployment('v2').spec?.template } },
      { namespace: 'ns' },
    );
    for (let turn = 0; turn < 20; turn++) {
      await world.run(20, 10);
      await world.restart();
    }
    await world.run(3_000);
    expect(images(pods())).toEqual(['v2', 'v2', 'v2', 'v2']);
    expect(world.api.list(resources.replicasets).length).toBe(2);
  });

  it('adopts an orphan and releases what no longer matches', async () => {
    start();
    const orphan = {
      metadata: { name: 'orphan', namespace: 'ns', labels: { app: 'web', 'pod-template-hash': 'x' } },
      spec: { containers: [] },
    };
    await world.client.create(resources.deployments, deployment('v1', 1));
    await world.run(500);
    const [set] = world.api.list(resources.replicasets);
    const hash = set?.spec?.selector.matchLabels?.['pod-template-hash'] ?? '';
    await world.client.create(resources.pods, {
      ...orphan,
      metadata: { ...orphan.metadata, labels: { app: 'web', 'pod-template-hash': hash } },
    });
    await world.run(500);
    const left = pods();
    expect(left.length).toBe(1);
    await world.client.patch(
      resources.pods,
      left[0]?.metadata?.name ?? '',
      { metadata: { labels: { app: 'other' } } },
      { namespace: 'ns' },
    );
    await world.run(500);
    expect(
      pods()
        .map((pod) => [pod.metadata?.labels?.['app'], pod.metadata?.ownerReferences?.length ?? 0])
        .sort(),
    ).toEqual([
      ['other', 0],
      ['web', 1],
    ]);
  });
});

describe('Job', () => {
  it('runs to completion and counts every pod once, however often it is restarted', async () => {
    world = new World('job-controller');
    world.outcome = () => ({ phase: 'Succeeded', ready: false });
    await world.client.create(resources.jobs, job());
    for (let turn = 0; turn < 30; turn++) {
      await world.run(20, 10);
      await world.restart();
    }
    await world.run(5_000);
    const [done] = world.api.list(resources.jobs);
    expect(done?.status).toMatchObject({ succeeded: 5, uncountedTerminatedPods: {} });
    expect(done?.status?.conditions?.map(({ type }) => type)).toEqual(['SuccessCriteriaMet', 'Complete']);
    expect(pods().length).toBe(5);
    expect(pods().every((pod) => (pod.metadata?.finalizers ?? []).length === 0)).toBe(true);
  });

  it('completes every index once, however often it is restarted', async () => {
    world = new World('job-controller');
    let pod = 0;
    world.outcome = () => ({ phase: pod++ % 3 === 0 ? 'Failed' : 'Succeeded', ready: false });
    await world.client.create(resources.jobs, job({ completionMode: 'Indexed', completions: 6, parallelism: 3 }));
    for (let turn = 0; turn < 30; turn++) {
      await world.run(20, 10);
      await world.restart();
    }
    await world.run(120_000, 1_000);
    const [done] = world.api.list(resources.jobs);
    expect(done?.status).toMatchObject({ succeeded: 6, completedIndexes: '0-5', uncountedTerminatedPods: {} });
    const failed = pods().filter((entry) => entry.status?.phase === 'Failed').length;
    expect(done?.status?.failed).toBe(failed);
  });

  it('fails beyond its limit', async () => {
    world = new World('job-controller');
    world.outcome = () => ({ phase: 'Failed', ready: false });
    await world.client.create(resources.jobs, job({ backoffLimit: 1, parallelism: 1 }));
    await world.run(15_000);
    const [done] = world.api.list(resources.jobs);
    expect(done?.status).toMatchObject({ failed: 2 });
    expect(done?.status?.conditions?.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
      'FailureTarget BackoffLimitExceeded',
      'Failed BackoffLimitExceeded',
    ]);
  });
});

describe('StatefulSet', () => {
  const set = (image: string): StatefulSet => ({
    metadata: { name: 'db', namespace: 'ns' },
    spec: {
      replicas: 3,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image }] } },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
    },
  });
  it('is updated one by one, never two of a name, however often it is restarted', async () => {
    world = new World('statefulset-controller');
    await world.client.create(resources.statefulsets, set('v1'));
    await world.run(2_000);
    expect(images(pods())).toEqual(['v1', 'v1', 'v1']);
    expect(world.api.list(resources.persistentvolumeclaims).length).toBe(3);
    await world.client.patch(
      resources.statefulsets,
      'db',
      { spec: { template: set('v2').spec?.template } },
      { namespace: 'ns' },
    );
    for (let turn = 0; turn < 40; turn++) {
      await world.run(30, 10);
      const ready = pods().filter(
        (pod) => pod.metadata?.deletionTimestamp === undefined && pod.status?.phase === 'Running',
      );
      expect(ready.length).toBeGreaterThanOrEqual(2);
      await world.restart();
    }
    await world.run(3_000);
    expect(images(pods())).toEqual(['v2', 'v2', 'v2']);
    const [stored] = world.api.list(resources.statefulsets);
    expect(stored?.status).toMatchObject({ updatedReplicas: 3, readyReplicas: 3 });
    expect(stored?.status?.currentRevision).toBe(stored?.status?.updateRevision);
    expect(world.api.list(resources.controllerrevisions).map(({ revision }) => revision)).toEqual([1, 2]);
  });
});

describe('DaemonSet', () => {
  it('runs on each node, new ones too, and is updated', async () => {
    world = new World('daemonset-controller');
    const daemon = (image: string): DaemonSet => ({
      metadata: { name: 'agent', namespace: 'ns' },
      spec: {
        selector: { matchLabels: { app: 'agent' } },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
        template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'c', image }] } },
      },
    });
    for (const name of ['a', 'b']) await world.addNode(name);
    await world.client.create(resources.daemonsets, daemon('v1'));
    await world.run(500);
    await world.addNode('c');
    await world.run(500);
    expect(images(pods())).toEqual(['v1', 'v1', 'v1']);
    await world.client.patch(
      resources.daemonsets,
      'agent',
      { spec: { template: daemon('v2').spec?.template } },
      { namespace: 'ns' },
    );
    await world.run(3_000);
    expect(images(pods())).toEqual(['v2', 'v2', 'v2']);
    expect(world.api.list(resources.daemonsets)[0]?.status).toMatchObject({
      desiredNumberScheduled: 3,
      updatedNumberScheduled: 3,
      numberAvailable: 3,
    });
  });
});

describe('CronJob', () => {
  it('starts each Job once and lets old ones go, however often it is restarted', async () => {
    world = new World('cronjob-controller', 'job-controller', 'ttl-after-finished-controller');
    world.outcome = () => ({ phase: 'Succeeded', ready: false });
    const jobTemplate = {
      spec: { ...job().spec, completions: 1, parallelism: 1, template: job().spec?.template ?? {} },
    };
    const cronJob: CronJob = {
      metadata: { name: 'tick', namespace: 'ns' },
      spec: { schedule: '*/5 * * * *', successfulJobsHistoryLimit: 2, jobTemplate },
    };
    await world.client.create(resources.cronjobs, cronJob);
    for (let turn = 0; turn < 4; turn++) {
      await world.run(299_000, 20_000);
      for (let restarts = 0; restarts < 10; restarts++) {
        await world.run(200, 20);
        await world.restart();
      }
    }
    await world.run(10_000, 1_000);
    const names = world.api.writes.filter((write) => write === 'POST jobs').length;
    expect(names).toBe(4);
    expect(world.api.list(resources.jobs).map(({ status }) => status?.succeeded)).toEqual([1, 1]);
    expect(world.api.list(resources.cronjobs)[0]?.status?.active).toBeUndefined();
  });
});
