import { resources, type Service } from '@wherry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { deployment } from './testing/objects.ts';
import { World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

const pods = () => world.api.list(resources.pods);
const stored = () => world.api.list(resources.deployments)[0];

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
