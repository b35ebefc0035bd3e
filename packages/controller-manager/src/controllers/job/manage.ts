import type { Pod } from '@wherry/api';
import { compareForDeletion } from '../../pods/ranking.ts';
import { backoffLeftMs, indexBackoffLeftMs, replacesOnlyFailed } from './failures.ts';
import { completionIndex, firstFreeIndexes } from './indexes.ts';
import { jobPod } from './new-pods.ts';
import type { JobView } from './plan.ts';

/** Pods created or deleted at most in one go. */
const BURST_PODS_MAX = 500;

export interface Managed {
  readonly create: readonly Pod[];
  readonly remove: readonly Pod[];
  /** Pods are wanted, but not before the back-off has passed. */
  readonly requeueAfterMs: number | undefined;
}

const NOTHING: Managed = { create: [], remove: [], requeueAfterMs: undefined };

/** How many pods run: as many as parallelism and the missing successes allow. Deletions come before creations. */
export function manage(view: JobView): Managed {
  const { job, active } = view;
  const { parallelism = 1, completions, suspend } = job.spec ?? {};
  if (suspend === true) return { ...NOTHING, remove: podsToRemove(view, active.length) };
  let wanted = completions === undefined ? parallelism : Math.min(completions - view.succeeded, parallelism);
  // Without a number of completions the first success means that no more are needed: the rest may run to its end.
  if (completions === undefined && view.succeeded > 0) wanted = active.length;
  wanted = Math.max(0, wanted);
  const remove = podsToRemove(view, Math.max(0, active.length - wanted)).slice(0, BURST_PODS_MAX);
  if (remove.length > 0) return { ...NOTHING, remove };
  const terminating = replacesOnlyFailed(job) ? view.terminating : 0;
  const missing = wanted - terminating - active.length;
  return missing > 0 ? create(view, Math.min(missing, BURST_PODS_MAX)) : NOTHING;
}

function create(view: JobView, count: number): Managed {
  const { job, owner, nowMs } = view;
  const perIndex = job.spec?.backoffLimitPerIndex !== undefined;
  const waitMs = perIndex ? 0 : backoffLeftMs(job, view.pods, nowMs);
  if (waitMs > 0) return { ...NOTHING, requeueAfterMs: waitMs };
  if (!view.indexed) {
    const pod = jobPod(job, owner, undefined, undefined);
    return { ...NOTHING, create: Array.from({ length: count }, () => pod) };
  }
  const running = new Set<number>();
  const occupied = replacesOnlyFailed(job)
    ? view.pods.filter((pod) => pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded')
    : view.active;
  for (const pod of occupied) running.add(completionIndex(pod) ?? -1);
  const taken = [view.succeededIndexes, view.failedIndexes ?? new Set<number>(), running];
  const indexes = firstFreeIndexes(count, job.spec?.completions ?? 0, taken);
  const waits = indexes.map((index) => indexBackoffLeftMs(perIndex ? view.held.get(index) : undefined, nowMs));
  const ready = indexes.filter((_, position) => waits[position] === 0);
  if (ready.length === 0 && indexes.length > 0) {
    return { ...NOTHING, requeueAfterMs: Math.min(...waits) };
  }
  const later = waits.filter((wait) => wait > 0);
  return {
    ...NOTHING,
    create: ready.map((index) => jobPod(job, owner, index, view.held.get(index))),
    requeueAfterMs: later.length > 0 ? Math.min(...later) : undefined,
  };
}

/** Pods of indexes that are invalid or taken twice, and then as many more as are too many. */
function podsToRemove(view: JobView, atLeast: number): Pod[] {
  const ranked = [...view.active].sort((left, right) =>
    compareForDeletion({ pod: left, rank: 0 }, { pod: right, rank: 0 }, view.nowMs),
  );
  if (!view.indexed) return ranked.slice(0, atLeast);
  const remove: Pod[] = [];
  const kept: Pod[] = [];
  const seen = new Set<number>();
  // From the worthiest on, so that of two pods with one index the one further along stays.
  for (const pod of ranked.toReversed()) {
    const index = completionIndex(pod);
    if (index === undefined || index >= (view.job.spec?.completions ?? 0) || seen.has(index)) remove.push(pod);
    else {
      seen.add(index);
      kept.push(pod);
    }
  }
  const more = Math.max(0, atLeast - remove.length);
  return [...remove, ...kept.toReversed().slice(0, more)];
}
