import { seededRandom } from '@wherry/daemon';
import { expect, test } from 'vitest';
import { type ClusterConfig, checkFlags, nodeNames, type UpFlags, usualPorts } from './config.ts';
import { configure } from './configure.ts';
import { clusterLayout } from './layout.ts';

const one = { stores: 1, apiservers: 1, schedulers: 1, controllerManagers: 1 };
const recorded: ClusterConfig = {
  name: 'default',
  ...one,
  nodes: 3,
  runtime: 'docker',
  profile: 'fast',
  ports: usualPorts,
};
const subnet = { cidr: '172.30.0.0/24', gateway: '172.30.0.1' };
/** Nothing is asked of this machine's ports: all daemons hold theirs. */
const known = {
  held: new Set([
    'store-1',
    'apiserver-1',
    'scheduler-1',
    'controller-manager-1',
    'dns',
    'kubelet-node-1',
    'hollow-nodes',
  ]),
  random: seededRandom(1),
};
const noEngine = async () => ({ kind: 'unavailable', reason: 'this is darwin' }) as const;

test.each<{ flags: UpFlags; refused: RegExp }>([
  {
    flags: { stores: 3 },
    refused: /^Cannot change the store of cluster "default" from 1 to 3 members: .* another --name/,
  },
  { flags: { stores: 2 }, refused: /^Cannot start 2 stores: a store has 1, 3 or 5 members/ },
  { flags: { apiservers: 10 }, refused: /^Cannot start 10 API servers: at most 9/ },
  { flags: { schedulers: 0 }, refused: /^Cannot start 0 schedulers: a cluster needs one/ },
  { flags: { controllerManagers: 0 }, refused: /--controller-managers 1/ },
  { flags: { nodes: 101 }, refused: /at most 100/ },
  { flags: { hollowNodes: 10_001 }, refused: /^Cannot start 10001 hollow nodes: at most 10000/ },
  { flags: { nodes: 1 }, refused: /^Cannot shrink cluster "default" from 3 nodes to 1/ },
  { flags: { runtime: 'hollow' }, refused: /^Cannot change the runtime/ },
])('checkFlags refuses $flags', ({ flags, refused }) => {
  expect(() => checkFlags(flags, recorded)).toThrow(refused);
});

test('checkFlags takes what changes nothing, and more nodes', () => {
  for (const flags of [
    {},
    { stores: 1, nodes: 3 },
    { nodes: 5 },
    { runtime: 'docker' },
    { apiservers: 2, schedulers: 3 },
  ] as const)
    checkFlags(flags, recorded);
  checkFlags({ nodes: 0, stores: 5, runtime: 'hollow' }, undefined);
});

test('configure keeps what is recorded and changes what flags say', async () => {
  const config = await configure(
    'default',
    { nodes: 4, port: 7443, runtime: 'hollow' },
    { ...recorded, nodes: 0, subnet },
    known,
    noEngine,
  );
  expect(config).toEqual({
    name: 'default',
    ...one,
    nodes: 4,
    runtime: 'hollow',
    profile: 'fast',
    ports: { ...usualPorts, apiserver: 7443 },
    subnet,
  });
});

test('configure asks for no engine when there are no nodes', async () => {
  const engine = () => Promise.reject(new Error('must not be asked'));
  expect(await configure('default', { nodes: 0 }, undefined, known, engine)).toMatchObject({
    nodes: 0,
    profile: 'upstream',
  });
});

test('configure falls back to hollow nodes, and says why, unless Docker was asked for', async () => {
  expect(await configure('default', {}, undefined, known, noEngine)).toMatchObject({
    runtime: 'hollow',
    hollowReason: 'this is darwin',
  });
  await expect(configure('default', { runtime: 'docker' }, undefined, known, noEngine)).rejects.toThrow(
    /^Cannot run nodes on Docker: this is darwin/,
  );
});

test('configure gives hollow nodes a process of their own and room for pods, and keeps the room', async () => {
  const bare = { nodes: 0 } as const;
  const before = await configure('default', bare, undefined, known, noEngine);
  expect(before).not.toHaveProperty('hollowNodes');
  expect(before).not.toHaveProperty('clusterCidr');
  const many = await configure('default', { ...bare, hollowNodes: 1000 }, before, known, noEngine);
  expect(many).toMatchObject({ hollowNodes: 1000, clusterCidr: '10.192.0.0/10' });
  expect(many.ports.hollowProcess).toBeGreaterThan(0);
  const kept = await configure('default', {}, many, known, noEngine);
  expect(kept).toEqual(many);
  const none = await configure('default', { hollowNodes: 0 }, many, known, noEngine);
  expect(none).not.toHaveProperty('hollowNodes');
  expect(none).toMatchObject({ clusterCidr: '10.192.0.0/10', ports: { hollowProcess: many.ports.hollowProcess } });
});

test('nodeNames counts from one', () => {
  expect(nodeNames({ nodes: 2 })).toEqual(['node-1', 'node-2']);
});

test.each([
  '',
  'Default',
  'a_b',
  '-a',
  'a'.repeat(31),
  'engine',
  '../x',
])('clusterLayout refuses the name "%s"', (name) => {
  expect(() => clusterLayout('/home', name)).toThrow(/Cannot name a cluster/);
});
