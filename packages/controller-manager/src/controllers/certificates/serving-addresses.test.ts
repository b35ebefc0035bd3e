import type { Node } from '@wherry/api';
import { expect, it } from 'vitest';
import { knownAddresses } from './serving-addresses.ts';

const node = (name: string, ...addresses: readonly string[]): Node => ({
  metadata: { name },
  status: {
    addresses: [{ type: 'Hostname', address: name }, ...addresses.map((address) => ({ type: 'InternalIP', address }))],
  },
});

it('knows a node’s own addresses, and those that others are known by', () => {
  const facts = {
    nodes: [node('n1', '192.0.2.1', '127.0.0.1', '10.96.0.1', '10.244.3.4', 'kubernetes'), node('n2', '192.0.2.2')],
    serverSlices: [{ addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.10'] }] }],
    clusterInfo: { data: { kubeconfig: 'clusters:\n- cluster:\n    server: https://192.0.2.9:6443\n  name: ""\n' } },
    ranges: ['10.96.0.0/12', '10.244.0.0/16'],
  };
  expect(knownAddresses('n1', facts)).toEqual({
    own: ['192.0.2.1'],
    others: new Set(['192.0.2.2', '192.0.2.10', '192.0.2.9']),
  });
  expect(knownAddresses('n3', facts).own).toEqual([]);
});
