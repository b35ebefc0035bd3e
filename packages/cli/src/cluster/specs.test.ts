import { expect, test } from 'vitest';
import { type ClusterConfig, usualPorts } from './config.ts';
import { clusterLayout } from './layout.ts';
import { daemonSpecs } from './specs.ts';

const config: ClusterConfig = {
  name: 'lab',
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
    const opensStore = text.includes('etcd') || text.includes(`:${usualPorts.storeClient}`);
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
