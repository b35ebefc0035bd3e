import type { Job, JobCondition, JobStatus, Pod } from '@wherry/api';
import { isPodFailed } from './failures.ts';
import { completionIndex } from './indexes.ts';
import { TRACKING_FINALIZER } from './new-pods.ts';
import { judgeFailure } from './policies.ts';

/** Finished pods named in the status at once, so that it stays small. */
const UNCOUNTED_MAX = 500;

export const isTracked = (pod: Pod): boolean => pod.metadata?.finalizers?.includes(TRACKING_FINALIZER) ?? false;

export interface Tracking {
  readonly succeeded: number;
  readonly failed: number;
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  /** Indexes that succeeded since the status was written. */
  readonly newIndexes: ReadonlySet<number>;
  /** Safe to release once the status that names them is stored. */
  readonly release: readonly Pod[];
  /** More pods wait for another round. */
  readonly more: boolean;
}

export interface TrackingInput {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly indexed: boolean;
  readonly finished: JobCondition | undefined;
  /** Failed pods whose failure count a replacement must inherit first. */
  readonly held: ReadonlySet<string>;
}

/**
 * Counts each finished pod exactly once: its uid is first stored in the status, then its finalizer is removed, then
 * the uid becomes a number. A crash between any two of these steps repeats none of the counting. Succeeded pods of
 * indexed Jobs need no uid: their index is in the status once and for all.
 */
export function track(input: TrackingInput): Tracking {
  const { job, pods, indexed, finished } = input;
  const status: JobStatus = job.status ?? {};
  const stored = status.uncountedTerminatedPods ?? {};
  const trackedUids = new Set(pods.filter(isTracked).map((pod) => pod.metadata?.uid ?? ''));
  const succeededLeft = (stored.succeeded ?? []).filter((uid) => trackedUids.has(uid));
  const failedLeft = (stored.failed ?? []).filter((uid) => trackedUids.has(uid));
  const uncountedSucceeded = new Set(succeededLeft);
  const uncountedFailed = new Set(failedLeft);
  const newIndexes = new Set<number>();
  const release: Pod[] = [];
  let more = false;
  for (const pod of pods) {
    if (!isTracked(pod) || !mayRelease(input, pod)) continue;
    if (newIndexes.size + uncountedSucceeded.size + uncountedFailed.size >= UNCOUNTED_MAX) {
      more = true;
      break;
    }
    const uid = pod.metadata?.uid ?? '';
    release.push(pod);
    const index = completionIndex(pod);
    const valid = !indexed || (index !== undefined && index < (job.spec?.completions ?? 0));
    if (pod.status?.phase === 'Succeeded' && !uncountedFailed.has(uid)) {
      if (!indexed) uncountedSucceeded.add(uid);
      else if (valid && index !== undefined) newIndexes.add(index);
      continue;
    }
    const endsWithJob = finished !== undefined && !isSuccess(finished);
    if (!valid || !(isPodFailed(job, pod) || endsWithJob)) continue;
    if (judgeFailure(job, pod).action !== 'Ignore') uncountedFailed.add(uid);
  }
  return {
    succeeded: (status.succeeded ?? 0) + (stored.succeeded ?? []).length - succeededLeft.length,
    failed: (status.failed ?? 0) + (stored.failed ?? []).length - failedLeft.length,
    uncounted: { succeeded: [...uncountedSucceeded], failed: [...uncountedFailed] },
    newIndexes,
    release,
    more,
  };
}

function mayRelease({ job, finished, held }: TrackingInput, pod: Pod): boolean {
  if (job.metadata?.deletionTimestamp !== undefined || finished !== undefined) return true;
  if (pod.status?.phase === 'Succeeded') return true;
  return isPodFailed(job, pod) && !held.has(pod.metadata?.uid ?? '');
}

export function isSuccess(condition: JobCondition): boolean {
  return condition.type === 'SuccessCriteriaMet' || condition.type === 'Complete';
}
