import { expect, it } from 'vitest';
import { clusterLayout } from '../cluster/layout.ts';
import { parseEndpoint } from './host.ts';
import { type JoinedNode, joinedSpecs } from './joined-node.ts';

const layout = clusterLayout('/home', 'joined');
const node: JoinedNode = {
  name: 'host-3',
  address: '192.0.2.13',
  server: 'https://192.0.2.11:6443',
  runtime: 'docker',
  engine: 'unix:///var/run/docker.sock',
  kubeletArgs: ['--port=10350', '--healthz-port=10348'],
  proxyArgs: ['--v=4'],
};

it('runs a kubelet that asks for its certificates, and a proxy with the same credentials', () => {
  const [kubelet, proxy] = joinedSpecs(node, layout);
  expect(kubelet?.flags).toEqual(
    expect.arrayContaining([
      '--kubeconfig=/home/joined/kubeconfigs/kubelet.conf',
      '--bootstrap-kubeconfig=/home/joined/kubeconfigs/bootstrap-kubelet.conf',
      '--cert-dir=/home/joined/pki',
      '--rotate-certificates=true',
      '--rotate-server-certificates=true',
      '--cluster-name=joined',
    ]),
  );
  expect(kubelet?.addresses).toEqual(['192.0.2.13:10350']);
  expect(kubelet?.probe.port).toBe(10348);
  expect(proxy?.flags).toContain('--kubeconfig=/home/joined/kubeconfigs/kubelet.conf');
  expect(proxy?.flags.at(-1)).toBe('--v=4');
});

it('needs no proxy where containers are simulated', () => {
  expect(joinedSpecs({ ...node, runtime: 'hollow' }, layout).map(({ kind }) => kind)).toEqual(['kubelet']);
});

it.each([
  ['192.0.2.11:6443', { host: '192.0.2.11', port: 6443 }],
  ['[2001:db8::1]:6443', { host: '2001:db8::1', port: 6443 }],
  ['api.example:443', { host: 'api.example', port: 443 }],
  ['192.0.2.11', undefined],
  ['https://192.0.2.11:6443', undefined],
  ['192.0.2.11:0', undefined],
  ['192.0.2.11:99999', undefined],
])('joins at %s', (text, expected) => {
  if (expected === undefined) expect(() => parseEndpoint(text)).toThrow('HOST:PORT');
  else expect(parseEndpoint(text)).toEqual(expected);
});
