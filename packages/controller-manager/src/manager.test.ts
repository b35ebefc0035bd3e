import {
  type CronJob,
  type DaemonSet,
  type Deployment,
  type Job,
  type Pod,
  resources,
  type Service,
  type StatefulSet,
} from '@wherry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

const deployment = (image: string, replicas = 3): Deployment => ({
  metadata: { name: 'web', namespace: 'ns' },
  spec: {
    replicas,
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
  },
});
const job = (spec: Partial<Job['spec']> = {}): Job => ({
  metadata: { name: 'work', namespace: 'ns' },
  spec: {
    parallelism: 2,
    completions: 5,
    backoffLimit: 6,
    selector: { matchLabels: { job: 'work' } },
    template: { metadata: { labels: { job: 'work' } }, spec: { containers: [{ name: 'c' }], restartPolicy: 'Never' } },
    ...spec,
  },
});
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

describe('Service endpoints', () => {
  const service: Service = {
    metadata: { name: 'web', namespace: 'ns' },
    spec: {
      clusterIP: '10.96.0.9',
      ipFamilies: ['IPv4'],
      selector: { app: 'web' },
      ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }],
    },
  };
  it('follow pods as they come, end and go', async () => {
    world = new World(
      'endpointslice-controller',
      'endpoints-controller',
      'deployment-controller',
      'replicaset-controller',
    );
    await world.addNode('n1');
    await world.client.create(resources.services, service);
    await world.client.create(resources.deployments, deployment('v1', 2));
    await world.run(1_000);
    const conditions = () =>
      world.api
        .list(resources.endpointslices)
        .flatMap(({ endpoints }) => endpoints.map((endpoint) => endpoint.conditions));
    const ready = { ready: true, serving: true, terminating: false };
    expect(conditions()).toEqual([ready, ready]);
    expect(world.api.list(resources.endpoints)[0]?.subsets?.[0]?.addresses?.length).toBe(2);
    world.kubeletsRun = false;
    await world.client.delete(resources.pods, pods()[0]?.metadata?.name ?? '', { namespace: 'ns' });
    await world.run(10, 10);
    expect(conditions()).toEqual([{ ready: false, serving: true, terminating: true }, ready]);
    await world.client.delete(resources.services, 'web', { namespace: 'ns' });
    await world.run(100);
    expect(world.api.list(resources.endpoints)).toEqual([]);
  });
});

describe('garbage collector', () => {
  const all = ['deployment-controller', 'replicaset-controller', 'garbage-collector-controller'];
  const setup = async () => {
    world = new World(...all);
    await world.client.create(resources.deployments, deployment('v1', 2));
    await world.run(1_000);
  };
  it('deletes what a deleted owner leaves', async () => {
    await setup();
    await world.client.delete(resources.deployments, 'web', { namespace: 'ns' });
    await world.run(1_000);
    expect([world.api.list(resources.replicasets), pods()]).toEqual([[], []]);
  });
  it('foreground: dependents go first', async () => {
    await setup();
    world.kubeletsRun = false;
    await world.client.delete(resources.deployments, 'web', { namespace: 'ns', propagationPolicy: 'Foreground' });
    await world.run(500);
    expect(stored()?.metadata?.finalizers).toEqual(['foregroundDeletion']);
    expect(pods().every((pod) => pod.metadata?.deletionTimestamp !== undefined)).toBe(true);
    world.kubeletsRun = true;
    await world.run(1_000);
    expect([stored(), world.api.list(resources.replicasets), pods()]).toEqual([undefined, [], []]);
  });
  it('orphan: dependents stay', async () => {
    await setup();
    await world.client.delete(resources.deployments, 'web', { namespace: 'ns', propagationPolicy: 'Orphan' });
    await world.run(1_000);
    expect(stored()).toBeUndefined();
    expect(world.api.list(resources.replicasets).map((set) => set.metadata?.ownerReferences)).toEqual([[]]);
    expect(pods().length).toBe(2);
  });
  it('collects an object whose owner never was', async () => {
    await setup();
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'ghost', uid: 'ghost' }];
    await world.client.create(resources.configmaps, { metadata: { name: 'lost', namespace: 'ns', ownerReferences } });
    await world.run(500);
    expect(world.api.list(resources.configmaps)).toEqual([]);
  });
});

describe('namespaces', () => {
  it('get an account and the CA, and end with all they hold, pods first', async () => {
    world = new World('serviceaccount-controller', 'root-ca-certificate-publisher-controller', 'namespace-controller');
    await world.client.create(resources.namespaces, {
      metadata: { name: 'ns' },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
    await world.run(500);
    expect(world.api.list(resources.serviceaccounts).map(({ metadata }) => metadata?.name)).toEqual(['default']);
    expect(world.api.list(resources.configmaps)[0]?.data).toEqual({ 'ca.crt': 'CA' });
    await world.client.create(resources.pods, {
      metadata: { name: 'p', namespace: 'ns' },
      spec: { containers: [], nodeName: 'n' },
    });
    world.kubeletsRun = false;
    await world.client.delete(resources.namespaces, 'ns');
    await world.run(1_000);
    const [namespace] = world.api.list(resources.namespaces);
    expect(namespace?.status?.conditions?.find(({ type }) => type === 'NamespaceContentRemaining')?.message).toBe(
      'Some resources are remaining: pods. has 1 resource instances',
    );
    expect(world.api.list(resources.configmaps).length).toBe(1);
    world.kubeletsRun = true;
    await world.run(1_000);
    expect(world.api.list(resources.namespaces)).toEqual([]);
    expect([...world.api.list(resources.configmaps), ...world.api.list(resources.serviceaccounts)]).toEqual([]);
  });
});

describe('nodes', () => {
  it('get a range, fall silent, lose their pods and come back', async () => {
    world = new World('node-ipam-controller', 'node-lifecycle-controller', 'taint-eviction-controller');
    for (const name of ['a', 'b', 'c']) await world.addNode(name);
    await world.run(100);
    const node = (name: string) => world.api.list(resources.nodes).find(({ metadata }) => metadata?.name === name);
    expect(['a', 'b', 'c'].map((name) => node(name)?.spec?.podCIDR)).toEqual([
      '10.244.0.0/24',
      '10.244.1.0/24',
      '10.244.2.0/24',
    ]);
    const tolerations = [
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ];
    await world.client.create(resources.pods, {
      metadata: { name: 'p', namespace: 'ns' },
      spec: { nodeName: 'a', containers: [], tolerations },
    });
    const beat = async (name: string) => {
      const conditions = [
        { type: 'Ready', status: 'True', lastHeartbeatTime: new Date(world.clock.now()).toISOString() },
      ];
      await world.client.patch(
        resources.nodes,
        name,
        { status: { conditions } },
        { subresource: 'status', type: 'strategic' },
      );
    };
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 5_000) {
        for (const name of ['b', 'c']) await beat(name);
        await world.run(5_000, 1_000);
      }
    };
    await pass(45_000);
    expect(node('a')?.status?.conditions?.[0]?.status).toBe('True');
    await pass(15_000);
    expect(node('a')?.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
    });
    expect(node('a')?.spec?.taints?.map(({ key, effect }) => `${key} ${effect}`)).toEqual([
      'node.kubernetes.io/unreachable NoSchedule',
      'node.kubernetes.io/unreachable NoExecute',
    ]);
    expect(node('b')?.spec?.taints ?? []).toEqual([]);
    expect(pods()[0]?.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False');
    world.kubeletsRun = false;
    await pass(280_000);
    expect(pods()[0]?.metadata?.deletionTimestamp).toBeUndefined();
    await pass(30_000);
    expect(pods()[0]?.metadata?.deletionTimestamp).toBeDefined();
    expect(pods()[0]?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.reason).toBe(
      'DeletionByTaintManager',
    );
    await beat('a');
    await world.run(1_000);
    expect(node('a')?.spec?.taints).toEqual([]);
  });
});
