import type { Job, Pod } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';
import { completionIndex } from './indexes.ts';
import { judgeFailure } from './policies.ts';

/** Wait after the first failed pod, doubled with each further one up to the maximum. */
const BACKOFF_MS_MIN = 10_000;
const BACKOFF_MS_MAX = 600_000;

/** How often an index failed before this pod was made for it. */
export const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count';
export const INDEX_IGNORED_FAILURES = 'batch.kubernetes.io/job-index-ignored-failure-count';

export function replacesOnlyFailed(job: Job): boolean {
  return job.spec?.podReplacementPolicy === 'Failed';
}

/** A deleted pod counts as failed at once unless the Job waits for its true end. */
export function isPodFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true;
  if (replacesOnlyFailed(job)) return false;
  return pod.metadata?.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded';
}

/**
 * How long to wait before the next pod, after the failures since the last success. It is read from the pods
 * themselves (they stay until the Job is deleted), so that a restart of this process does not forget it.
 */
export function backoffLeftMs(job: Job, pods: readonly Pod[], nowMs: number): number {
  let lastSuccessMs = 0;
  const failures: number[] = [];
  for (const pod of pods) {
    const finished = finishedMs(pod) ?? nowMs;
    if (pod.status?.phase === 'Succeeded') lastSuccessMs = Math.max(lastSuccessMs, finished);
    else if (isSetback(job, pod)) failures.push(finished);
  }
  const since = failures.filter((failure) => failure > lastSuccessMs);
  return since.length === 0 ? 0 : leftMs(since.length, Math.max(...since), nowMs);
}

/** Pods deleted without being counted (surplus, suspension) are no failures: they have lost their finalizer. */
function isSetback(job: Job, pod: Pod): boolean {
  if (!isPodFailed(job, pod) || judgeFailure(job, pod).action === 'Ignore') return false;
  return pod.metadata?.deletionTimestamp === undefined || pod.metadata.finalizers !== undefined;
}

/** The same for one index with its own limit, after its last failed pod. */
export function indexBackoffLeftMs(last: Pod | undefined, nowMs: number): number {
  if (last === undefined) return 0;
  const count = annotated(last, INDEX_FAILURES) + annotated(last, INDEX_IGNORED_FAILURES) + 1;
  return leftMs(count, finishedMs(last) ?? nowMs, nowMs);
}

function leftMs(failures: number, lastMs: number, nowMs: number): number {
  const backoffMs = Math.min(BACKOFF_MS_MIN * 2 ** (failures - 1), BACKOFF_MS_MAX);
  return Math.max(0, lastMs + backoffMs - nowMs);
}

/** When the last container ended; for pods that never ran, when they were given up. */
function finishedMs(pod: Pod): number | undefined {
  let latest: number | undefined;
  for (const status of pod.status?.containerStatuses ?? []) {
    const finished = timeMs(status.state?.terminated?.finishedAt);
    if (finished !== undefined && (latest === undefined || finished > latest)) latest = finished;
  }
  if (latest !== undefined) return latest;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata ?? {};
  const deleted = timeMs(deletionTimestamp);
  if (deleted !== undefined) return deleted - deletionGracePeriodSeconds * 1000;
  const ready = pod.status?.conditions?.find((condition) => condition.type === 'Ready');
  return timeMs(ready?.lastTransitionTime) ?? timeMs(creationTimestamp);
}

export function annotated(pod: Pod, annotation: string): number {
  const text = pod.metadata?.annotations?.[annotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0;
}

/** The pod's failure is the last its index may have. */
export function isIndexFailed(job: Job, pod: Pod): boolean {
  const limit = job.spec?.backoffLimitPerIndex;
  if (limit === undefined || !isPodFailed(job, pod) || completionIndex(pod) === undefined) return false;
  const { action } = judgeFailure(job, pod);
  if (action === 'FailIndex') return true;
  return action !== 'Ignore' && annotated(pod, INDEX_FAILURES) >= limit;
}

/** Annotations by which the next pod of an index inherits its count of failures. */
export function inheritedFailures(job: Job, last: Pod | undefined): Readonly<Record<string, string>> {
  if (last === undefined) return { [INDEX_FAILURES]: '0' };
  const ignored = judgeFailure(job, last).action === 'Ignore';
  const failures = annotated(last, INDEX_FAILURES) + (ignored ? 0 : 1);
  const ignoredFailures = annotated(last, INDEX_IGNORED_FAILURES) + (ignored ? 1 : 0);
  return {
    [INDEX_FAILURES]: String(failures),
    ...(ignoredFailures > 0 && { [INDEX_IGNORED_FAILURES]: String(ignoredFailures) }),
  };
}

/** Restarts in place count against the limit of a Job whose containers restart on failure. */
export function restartsBeyondLimit(job: Job, pods: readonly Pod[]): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const pod of pods) {
    if (pod.status?.phase !== 'Running' && pod.status?.phase !== 'Pending') continue;
    const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
    restarts += statuses.reduce((sum, status) => sum + status.restartCount, 0);
  }
  const limit = job.spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}
