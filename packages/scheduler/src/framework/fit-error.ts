import type { Attempt } from './cycle.ts';

type Refused = Extract<Attempt, { kind: 'refused' }>;

/** Why no node took the pod, in upstream's words: each reason with the number of nodes that gave it. */
export function fitErrorMessage({ allNodes, refusals, otherwise }: Refused, preemption?: string): string {
  if (allNodes === 0) return 'no nodes available to schedule pods';
  const counts = new Map<string, number>();
  const count = (reasons: readonly string[], nodes: number): void => {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + nodes);
  };
  for (const { reasons } of refusals.values()) count(reasons, 1);
  if (otherwise !== undefined && allNodes > refusals.size) count(otherwise.reasons, allNodes - refusals.size);
  const message = `0/${allNodes} nodes are available: ${histogram(counts)}.`;
  return preemption === undefined ? message : `${message} ${preemption}`;
}

/** `2 Insufficient cpu, 1 node(s) were unschedulable`, in the order of the texts with their numbers. */
export function histogram(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .map(([reason, nodes]) => `${nodes} ${reason}`)
    .sort()
    .join(', ');
}
