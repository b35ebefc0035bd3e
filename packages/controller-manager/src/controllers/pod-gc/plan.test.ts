import type { Node, Pod } from '@wherry/api';
import { expect, it } from 'vitest';
import { planPodGc } from './plan.ts';

const podOf = (
  name: string,
  shape: { node?: string; phase?: string; deleting?: boolean; created?: string; reason?: string } = {},
): Pod => ({
  metadata: {
    name,
    uid: name,
    creationTimestamp: shape.created ?? '2025-01-01T00:00:00Z',
    ...(shape.deleting && { deletionTimestamp: 'x' }),
  },
  spec: { containers: [], ...(shape.node && { nodeName: shape.node }) },
  status: { phase: shape.phase ?? 'Running', ...(shape.reason && { reason: shape.reason }) },
});
const outOfService: Node = { spec: { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] } };
const plan = (pods: readonly Pod[], terminatedMax = 0) =>
  planPodGc({ pods, nodes: new Map([['broken', outOfService]]), goneNodes: new Set(['gone']), terminatedMax }).map(
    ({ pod, disruption }) => `${pod.metadata?.name}${disruption ? ` ${disruption.reason}` : ''}`,
  );

it.each([
  ['pods of a node that is gone', [podOf('a', { node: 'gone' }), podOf('b', { node: 'here' })], ['a DeletionByPodGC']],
  ['pods deleted before they were scheduled', [podOf('a', { deleting: true }), podOf('b')], ['a']],
  [
    'terminating pods of a node out of service',
    [podOf('a', { node: 'broken', deleting: true }), podOf('b', { node: 'broken' })],
    ['a'],
  ],
])('removes %s', (_, pods, expected) => {
  expect(plan(pods)).toEqual(expected);
});

it('keeps the youngest of the ended pods, evicted ones go first', () => {
  const pods = [
    podOf('old', { phase: 'Succeeded', created: '2024-01-01T00:00:00Z' }),
    podOf('evicted', { phase: 'Failed', reason: 'Evicted' }),
    podOf('young', { phase: 'Failed' }),
    podOf('running'),
  ];
  expect(plan(pods, 1)).toEqual(['evicted', 'old']);
  expect(plan(pods, 3)).toEqual([]);
});
