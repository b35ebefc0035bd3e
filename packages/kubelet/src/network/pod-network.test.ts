import type { Node } from '@wherry/api';
import { expect, it } from 'vitest';
import type { NodeRoute } from '../plan/network-rules.ts';
import { PodNetwork } from './pod-network.ts';
import type { Wiring } from './wiring.ts';

const node = (name: string, podCIDR: string, address: string): Node => ({
  metadata: { name },
  spec: { podCIDR },
  status: { addresses: [{ type: 'InternalIP', address }] },
});

it('PodNetwork leaves routes alone until it knows the nodes: those of a former kubelet are in use', async () => {
  const told: (readonly NodeRoute[])[] = [];
  const wiring: Wiring = {
    prepare: async () => {},
    attach: async () => {},
    detach: async () => {},
    setRoutes: async (routes) => void told.push(routes),
    setRules: async () => {},
  };
  const network = new PodNetwork({ wiring, nodeName: 'n1', clusterCidr: undefined, stateFile: undefined });
  await network.start();
  await network.setPodCidr('10.244.1.0/24');
  expect(network.problem).toBeUndefined();
  expect(told).toEqual([]);
  await network.setNodes([node('n1', '10.244.1.0/24', '10.0.0.1'), node('n2', '10.244.2.0/24', '10.0.0.2')]);
  expect(told).toEqual([[{ cidr: '10.244.2.0/24', via: '10.0.0.2' }]]);
});
