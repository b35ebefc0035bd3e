import type { Node } from '@wherry/api';
import { expect, it } from 'vitest';
import { parseClusterRanges, planAllocations } from './plan.ts';

const nodeOf = (name: string, ...podCIDRs: string[]): Node => ({
  metadata: { name },
  spec: podCIDRs.length > 0 ? { podCIDR: podCIDRs[0] ?? '', podCIDRs } : {},
});
const ranges = parseClusterRanges('10.244.0.0/16', 24);
const told = (nodes: readonly Node[], from = ranges) =>
  planAllocations(nodes, from).map(({ podCIDRs }) => podCIDRs?.join());

it('gives each node without a range the next free one', () => {
  const nodes = [nodeOf('a'), nodeOf('b', '10.244.0.0/24'), nodeOf('c'), nodeOf('d', '10.244.2.0/24')];
  expect(told(nodes)).toEqual(['10.244.1.0/24', '10.244.3.0/24']);
});
it('respects ranges cut differently before', () => {
  expect(told([nodeOf('a'), nodeOf('b', '10.244.0.0/23'), nodeOf('c', '10.244.2.128/25')])).toEqual(['10.244.3.0/24']);
});
it('leaves the addresses of Services alone', () => {
  const allocations = planAllocations([nodeOf('a')], parseClusterRanges('10.96.0.0/14', 16), ['10.96.0.0/15']);
  expect(allocations[0]?.podCIDRs).toEqual(['10.98.0.0/16']);
});
it('says when none is left', () => {
  const small = parseClusterRanges('10.0.0.0/24', 25);
  expect(told([nodeOf('a'), nodeOf('b'), nodeOf('c')], small)).toEqual(['10.0.0.0/25', '10.0.0.128/25', undefined]);
});
it('gives one of each family', () => {
  expect(told([nodeOf('a')], parseClusterRanges('10.244.0.0/16,fd00:10::/48', 24))).toEqual([
    '10.244.0.0/24,fd00:10::/64',
  ]);
});
it('refuses a range smaller than one node needs', () => {
  expect(() => parseClusterRanges('10.0.0.0/26', 24)).toThrow(/Cannot cut/);
});
