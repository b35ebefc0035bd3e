import { type Node, type Pod, type Taint, type Toleration, tolerates } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';

export type EvictionPlan =
  | { readonly kind: 'stay' }
  | { readonly kind: 'evict'; readonly why: string }
  | { readonly kind: 'later'; readonly afterMs: number };

const STAY: EvictionPlan = { kind: 'stay' };

/**
 * Whether a pod must leave its node because of NoExecute taints. What it tolerates for a time ends that long after
 * the taint came (or the pod, if later), so that a restart of this process does not start the time anew. Taints set by hand may not say
 * when they came: then the time runs from when this process first saw the pod with them.
 */
export function planEviction(pod: Pod, node: Node | undefined, nowMs: number, firstSeenMs = nowMs): EvictionPlan {
  const taints = noExecuteTaints(node);
  if (taints.length === 0 || pod.metadata?.deletionTimestamp !== undefined) return STAY;
  let leaveMs = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    const matching = (pod.spec?.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return { kind: 'evict', why: `taint ${taint.key} is not tolerated` };
    leaveMs = Math.min(leaveMs, sinceMs(pod, taint, firstSeenMs) + toleratedMs(matching));
  }
  if (leaveMs === Number.POSITIVE_INFINITY) return STAY;
  if (leaveMs <= nowMs) return { kind: 'evict', why: `taint ${taints[0]?.key} was tolerated long enough` };
  return { kind: 'later', afterMs: leaveMs - nowMs };
}

export function noExecuteTaints(node: Node | undefined): readonly Taint[] {
  return (node?.spec?.taints ?? []).filter((taint) => taint.effect === 'NoExecute');
}

/** The shortest of the tolerations counts; one without a time tolerates for ever. */
function toleratedMs(tolerations: readonly Toleration[]): number {
  const seconds = tolerations.map((toleration) => toleration.tolerationSeconds).filter((time) => time !== undefined);
  return seconds.length === 0 ? Number.POSITIVE_INFINITY : Math.max(0, Math.min(...seconds)) * 1000;
}

function sinceMs(pod: Pod, taint: Taint, firstSeenMs: number): number {
  const tainted = timeMs(taint.timeAdded);
  if (tainted === undefined) return firstSeenMs;
  const arrived = timeMs(pod.status?.startTime) ?? timeMs(pod.metadata?.creationTimestamp) ?? 0;
  return Math.max(tainted, arrived);
}
