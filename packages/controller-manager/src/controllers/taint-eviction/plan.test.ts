import type { Node, Pod, Toleration } from '@wherry/api';
import { expect, it } from 'vitest';
import { planEviction } from './plan.ts';

const NOW_MS = Date.parse('2025-01-01T01:00:00Z');
const node: Node = { spec: { taints: [{ key: 'down', effect: 'NoExecute', timeAdded: '2025-01-01T00:59:00Z' }] } };
const handMade: Node = { spec: { taints: [{ key: 'down', effect: 'NoExecute' }] } };
const podOf = (tolerations: readonly Toleration[], startTime = '2025-01-01T00:00:00Z'): Pod => ({
  metadata: { name: 'p' },
  spec: { containers: [], tolerations },
  status: { startTime },
});
const tolerate = (seconds?: number): Toleration => ({
  key: 'down',
  operator: 'Exists',
  ...(seconds !== undefined && { tolerationSeconds: seconds }),
});

it.each([
  ['goes at once', node, [], undefined, 'evict', undefined],
  ['may stay for ever', node, [tolerate()], undefined, 'stay', undefined],
  ['goes later, counted from the taint', node, [tolerate(300)], undefined, 'later', 240_000],
  ['the shortest toleration counts', node, [tolerate(300), tolerate(90)], undefined, 'later', 30_000],
  ['a pod that came later gets its full time', node, [tolerate(90)], '2025-01-01T00:59:50Z', 'later', 80_000],
  ['its time is over', node, [tolerate(60)], undefined, 'evict', undefined],
  ['no time for it at all', node, [tolerate(0)], undefined, 'evict', undefined],
  ['a taint set by hand counts from when it was seen', handMade, [tolerate(60)], undefined, 'later', 50_000],
  ['no taints', {}, [], undefined, 'stay', undefined],
] as const)('%s', (_, on, tolerations, started, kind, afterMs) => {
  const plan = planEviction(podOf(tolerations, started), on, NOW_MS, NOW_MS - 10_000);
  expect(plan.kind).toBe(kind);
  if (plan.kind === 'later') expect(plan.afterMs).toBe(afterMs);
});
