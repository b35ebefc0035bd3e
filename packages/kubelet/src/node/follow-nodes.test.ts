import { type Node, resources } from '@wherry/api';
import { ApiClient, InformerFactory } from '@wherry/client';
import { Scope, silentLogger, systemClock, systemRandom } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { PodNetwork } from '../network/pod-network.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { until } from '../testing/test-kubelet.ts';
import { followNodes } from './follow-nodes.ts';

it('followNodes says nothing of other nodes before it has heard of all of them', async () => {
  const api = new FakeApi();
  api.away = true;
  const scope = new Scope('test', silentLogger);
  const adapters = { clock: systemClock, random: systemRandom, logger: silentLogger, scope };
  const nodes = new InformerFactory({ client: new ApiClient(api), ...adapters }).informer(resources.nodes);
  const told: number[] = [];
  const wiring = {
    prepare: async () => {},
    attach: async () => {},
    detach: async () => {},
    setRoutes: async (routes: readonly unknown[]) => void told.push(routes.length),
    setRules: async () => {},
  };
  const network = new PodNetwork({ wiring, nodeName: 'n1', clusterCidr: undefined, stateFile: undefined });
  followNodes({ nodeName: 'n1', network, nodes, podCidr: () => '10.244.1.0/24', onReady: () => {}, ...adapters });
  for (const number of [1, 2, 3]) {
    const status = { addresses: [{ type: 'InternalIP', address: `10.0.0.${number}` }] };
    const node: Node = { metadata: { name: `n${number}` }, spec: { podCIDR: `10.244.${number}.0/24` }, status };
    api.put('nodes', node);
  }
  // A hollow node is no place to route to.
  api.put('nodes', {
    metadata: { name: 'hollow' },
    spec: { podCIDR: '10.244.9.0/24' },
    status: { addresses: [{ type: 'InternalIP', address: '127.128.0.1' }] },
  });
  await systemClock.sleep(100);
  expect(told).toEqual([]);
  api.away = false;
  await until('the routes are set', () => told.length > 0);
  expect(new Set(told)).toEqual(new Set([2]));
  await scope.close();
});
