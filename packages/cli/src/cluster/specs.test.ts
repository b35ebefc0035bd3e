import { describe, expect, test } from 'vitest';
import { type ClusterConfig, usualPorts } from './config.ts';
import { surplusNodes } from './hollow-nodes.ts';
import { certificateWishes } from './identities.ts';
import { clusterLayout } from './layout.ts';
import { daemonSpecs } from './specs.ts';

const config: ClusterConfig = {
  name: 'lab',
  stores: 1,
  apiservers: 1,
  schedulers: 1,
  controllerManagers: 1,
  nodes: 2,
  runtime: 'docker',
  profile: 'upstream',
  ports: { ...usualPorts, apiserver: 7443 },
  subnet: { cidr: '172.30.4.0/24', gateway: '172.30.4.1' },
};
const layout = clusterLayout('/home', 'lab');
const host = { dockerHost: 'unix:///var/run/docker.sock', address: '192.0.2.2' };
const specsOf = (changed: Partial<ClusterConfig> = {}) => daemonSpecs({ ...config, ...changed }, layout, host);

test('daemonSpecs names every process once, in order', () => {
  const specs = specsOf();
  expect(specs.map((spec) => spec.name)).toEqual([
    'store-1',
    'apiserver-1',
    'scheduler-1',
    'controller-manager-1',
    'dns',
    'kubelet-node-1',
    'proxy-node-1',
    'kubelet-node-2',
    'proxy-node-2',
  ]);
  expect(specs.map((spec) => spec.order)).toEqual([...specs.map((spec) => spec.order)].sort((a, b) => a - b));
});

test('only the API server is told where the store is, and given a key to it', () => {
  for (const spec of specsOf()) {
    const text = spec.flags.join(' ');
    const opensStore = text.includes('etcd') || text.includes(`:${usualPorts.stores[0]?.client}`);
    expect(opensStore, spec.name).toBe(spec.kind === 'apiserver' || spec.kind === 'store');
  }
});

test('daemons of a virtual node enter its namespace, those of a hollow one get ports of their own', () => {
  const virtual = specsOf().filter((spec) => spec.node === 'node-2');
  expect(virtual.map((spec) => [spec.kind, spec.namespace, spec.addresses])).toEqual([
    ['kubelet', 'node-2', ['172.30.4.12:10250']],
    ['proxy', 'node-2', ['172.30.4.12:10256']],
  ]);
  const { subnet: _, ...bare } = config;
  const hollow = daemonSpecs({ ...bare, runtime: 'hollow' }, layout, host).filter((spec) => spec.node !== undefined);
  expect(hollow.map((spec) => [spec.kind, spec.namespace, spec.addresses])).toEqual([
    ['kubelet', undefined, ['127.0.0.1:11250']],
    ['kubelet', undefined, ['127.0.0.1:11252']],
  ]);
});

test('all hollow nodes are one process, whose certificate is valid for the address of each', () => {
  const hollow = { ...config, hollowNodes: 300, ports: { ...config.ports, hollowProcess: 20_500 } };
  const spec = daemonSpecs(hollow, layout, host).find(({ kind }) => kind === 'hollow-nodes');
  expect(spec).toMatchObject({ name: 'hollow-nodes', addresses: ['127.128.0.1:20500'], probe: { port: 20_501 } });
  expect(spec?.flags).toContain('--hollow-nodes=300');
  const wishes = certificateWishes(hollow).filter(({ name }) => name.startsWith('hollow-nodes/'));
  expect(wishes.map(({ usages }) => usages)).toEqual([['client'], ['server']]);
  expect(wishes[0]).toMatchObject({ commonName: 'wherry:hollow-nodes', organizations: [] });
  expect(wishes[1]?.ipAddresses).toHaveLength(300);
  expect(wishes[1]?.ipAddresses.slice(254, 256)).toEqual(['127.128.0.255', '127.128.1.0']);
});

test('surplusNodes names those above the count, and nodes of nobody else', () => {
  const names = ['hollow-node-1', 'hollow-node-3', 'hollow-node-20', 'hollow-node-03', 'my-hollow-node-9', 'node-7'];
  expect(surplusNodes(names, { hollowNodes: 2 })).toEqual(['hollow-node-3', 'hollow-node-20']);
  expect(surplusNodes(names, {})).toEqual(['hollow-node-1', 'hollow-node-3', 'hollow-node-20']);
});

test('every pod network is known to all who must not masquerade it', () => {
  const wide = daemonSpecs({ ...config, clusterCidr: '10.192.0.0/10' }, layout, host);
  const told = wide.filter(({ flags }) => flags.includes('--cluster-cidr=10.192.0.0/10')).map(({ kind }) => kind);
  expect(told).toEqual(['controller-manager', 'kubelet', 'proxy', 'kubelet', 'proxy']);
});

test('without nodes there is a control plane and no more', () => {
  const { subnet: _, ...bare } = config;
  expect(daemonSpecs({ ...bare, nodes: 0 }, layout, host).map((spec) => spec.kind)).toEqual([
    'store',
    'apiserver',
    'scheduler',
    'controller-manager',
  ]);
});

test('the API server is advertised where nodes reach it, and never at a loopback address', () => {
  const { subnet: _, ...bare } = config;
  const advertised = (changed: ClusterConfig) =>
    daemonSpecs(changed, layout, host)
      .flatMap((spec) => spec.flags)
      .find((flag) => flag.startsWith('--advertise-address'));
  expect(advertised(config)).toBe('--advertise-address=172.30.4.1');
  expect(advertised({ ...bare, nodes: 0 })).toBe('--advertise-address=192.0.2.2');
});

test('the fast profile shortens what notices dead nodes', () => {
  const flags = specsOf({ profile: 'fast' }).flatMap((spec) => spec.flags);
  expect(flags).toEqual(
    expect.arrayContaining(['--node-monitor-grace-period=4s', '--default-not-ready-toleration-seconds=2']),
  );
  expect(
    specsOf()
      .flatMap((spec) => spec.flags)
      .join(' '),
  ).not.toMatch(/node-monitor|toleration/);
});

describe('several of everything', () => {
  const several: Partial<ClusterConfig> = {
    stores: 3,
    apiservers: 2,
    schedulers: 2,
    controllerManagers: 2,
    ports: {
      ...config.ports,
      stores: [1, 2, 3].map((n) => ({ client: 2000 + n, peer: 2100 + n, metrics: 2200 + n })),
      schedulers: [2301, 2302],
      controllerManagers: [2401, 2402],
    },
  };
  const flag = (name: string, flags: readonly string[]): readonly string[] =>
    flags.filter((one) => one.startsWith(`--${name}=`)).map((one) => one.slice(name.length + 3));

  test('has a process for each, and a balancer in front of the API servers', () => {
    const names = specsOf({ ...several, nodes: 1 }).map((spec) => spec.name);
    expect(names).toEqual([
      'store-1',
      'store-2',
      'store-3',
      'apiserver-1',
      'apiserver-2',
      'balancer',
      'scheduler-1',
      'scheduler-2',
      'controller-manager-1',
      'controller-manager-2',
      'dns',
      'kubelet-node-1',
      'proxy-node-1',
    ]);
  });

  test('members of the store know each other, and API servers know them all', () => {
    const specs = specsOf(several);
    const peers = 'store-1=https://127.0.0.1:2101,store-2=https://127.0.0.1:2102,store-3=https://127.0.0.1:2103';
    for (const spec of specs.filter(({ kind }) => kind === 'store')) {
      expect(flag('initial-cluster', spec.flags)).toEqual([peers]);
    }
    for (const spec of specs.filter(({ kind }) => kind === 'apiserver')) {
      const servers = 'https://127.0.0.1:2001,https://127.0.0.1:2002,https://127.0.0.1:2003';
      expect(flag('etcd-servers', spec.flags)).toEqual([servers]);
    }
  });

  test('each API server has an address of its own and the same port, and the balancer the public one', () => {
    const specs = specsOf(several);
    const servers = specs.filter(({ kind }) => kind === 'apiserver');
    const addresses = ['172.30.4.201', '172.30.4.202'];
    expect(servers.flatMap(({ flags }) => flag('advertise-address', flags))).toEqual(addresses);
    expect(servers.flatMap(({ flags }) => flag('bind-address', flags))).toEqual(addresses);
    expect(servers.flatMap(({ flags }) => flag('secure-port', flags))).toEqual(['6444', '6444']);
    const balancer = specs.find(({ kind }) => kind === 'balancer');
    expect(flag('listen', balancer?.flags ?? [])).toEqual(['0.0.0.0:7443']);
    expect(flag('backend', balancer?.flags ?? [])).toEqual(addresses.map((address) => `${address}:6444`));
    expect(balancer?.addresses).toEqual(['127.0.0.1:7443', '172.30.4.1:7443']);
  });

  test('no two daemons have a door in common', () => {
    const doors = specsOf(several).flatMap((spec) => spec.addresses);
    expect(new Set(doors).size).toBe(doors.length);
  });

  test('the serving certificate covers every address of an API server', () => {
    const serving = certificateWishes({ ...config, ...several }).find(({ name }) => name === 'apiserver');
    expect(serving?.ipAddresses).toEqual(expect.arrayContaining(['172.30.4.1', '172.30.4.201', '172.30.4.202']));
  });
});
