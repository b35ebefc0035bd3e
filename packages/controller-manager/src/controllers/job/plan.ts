import { isPodActive, isPodReady, type Job, type JobCondition, type JobStatus, type Pod } from '@wherry/api';
import type { Owner } from '../../pods/ownership.ts';
import { isPodTerminating, timeMs } from '../../pods/readiness.ts';
import { omitZeros, sameStatus } from '../../status/zeros.ts';
import { isIndexFailed, isPodFailed } from './failures.ts';
import { conditionOf, type FinishInput, findFinish, withCondition } from './finish.ts';
import { completionIndex, formatIndexes, parseIndexes } from './indexes.ts';
import { manage } from './manage.ts';
import { judgeFailure } from './policies.ts';
import { isSuccess, isTracked, type Tracking, track } from './tracking.ts';

const OPTIONAL_COUNTS = ['active', 'succeeded', 'failed'] as const;

export interface JobInput {
  readonly job: Job;
  readonly owner: Owner;
  /** Those it owns. */
  readonly pods: readonly Pod[];
  readonly nowMs: number;
  /** The same instant as metav1.Time. */
  readonly now: string;
}

export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Carried out in the order of the fields. */
export interface JobPlan {
  /** Deleted, but still to be counted. */
  readonly deleteCounted: readonly Pod[];
  /** Deleted and forgotten: their finalizer is removed first. */
  readonly deleteUncounted: readonly Pod[];
  readonly create: readonly Pod[];
  readonly status: JobStatus | undefined;
  /** Their finalizer is removed after the status is stored. */
  readonly release: readonly Pod[];
  readonly events: readonly PlannedEvent[];
  readonly requeueAfterMs: number | undefined;
  readonly why: string;
}

/** What all steps of the plan look at. */
export interface JobView extends JobInput {
  readonly indexed: boolean;
  readonly active: readonly Pod[];
  readonly terminating: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly succeededIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number> | undefined;
  /** Last failed pod of each index that has failures of its own to inherit. */
  readonly held: ReadonlyMap<number, Pod>;
}

export function isFinished(job: Job): boolean {
  return (job.status?.conditions ?? []).some(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
}

export const isSuspended = (job: Job): boolean => job.spec?.suspend === true;

export function planJob(input: JobInput): JobPlan {
  const view = look(input);
  const startTime = input.job.status?.startTime ?? (isSuspended(input.job) ? undefined : input.now);
  const finishInput: FinishInput = { view, startTime };
  let finished = findFinish(finishInput);
  const managed = finished === undefined && !input.owner.deleting ? manage(view) : undefined;
  const deleteCounted = finished === undefined ? [] : view.active;
  const removed = deleteCounted.length + (managed?.remove.length ?? 0);
  const activeAfter = view.active.length - removed + (managed?.create.length ?? 0);
  if (finished === undefined && activeAfter === 0 && isDone(view)) {
    const message = 'Reached expected number of succeeded pods';
    finished = conditionOf('SuccessCriteriaMet', 'CompletionsReached', message, input.now);
  }
  const suspension = managed === undefined || finished !== undefined ? undefined : suspend(input, startTime);
  const tracking = track({
    job: input.job,
    pods: [...input.pods].sort(byIndex),
    indexed: view.indexed,
    finished,
    held: new Set([...view.held.values()].map((pod) => pod.metadata?.uid ?? '')),
  });
  const gone = new Set([...deleteCounted, ...(managed?.remove ?? [])]);
  const counts = {
    active: activeAfter,
    ready: view.active.filter((pod) => isPodReady(pod) && !gone.has(pod)).length,
    terminating: view.terminating + removed,
    startTime: suspension?.startTime ?? startTime,
  };
  const { status, events } = conclude(view, tracking, finished, counts, suspension?.conditions);
  return {
    deleteCounted,
    deleteUncounted: managed?.remove ?? [],
    create: managed?.create ?? [],
    status: sameStatus(status, input.job.status) ? undefined : omitZeros(status, OPTIONAL_COUNTS),
    release: tracking.release,
    events: [...(suspension?.events ?? []), ...events],
    requeueAfterMs: earliest(managed?.requeueAfterMs, deadlineLeftMs(input, counts.startTime)),
    why: `${view.succeeded} succeeded, ${view.failed} failed, ${view.active.length} active${finished ? `; ${finished.reason}` : ''}`,
  };
}

function look(input: JobInput): JobView {
  const { job, pods } = input;
  const status = job.status ?? {};
  const completions = job.spec?.completions ?? 0;
  const indexed = job.spec?.completionMode === 'Indexed';
  const isValid = (pod: Pod) => !indexed || (completionIndex(pod) ?? completions) < completions;
  const stored = status.uncountedTerminatedPods ?? {};
  const fresh = pods.filter((pod) => isTracked(pod) && isValid(pod));
  const notIn = (uids: readonly string[] | undefined) => (pod: Pod) => !uids?.includes(pod.metadata?.uid ?? '');
  const newSucceeded = fresh.filter((pod) => pod.status?.phase === 'Succeeded').filter(notIn(stored.succeeded));
  const newFailed = fresh
    .filter((pod) => isPodFailed(job, pod) && judgeFailure(job, pod).action !== 'Ignore')
    .filter(notIn(stored.failed));
  const succeededIndexes = parseIndexes(indexed ? status.completedIndexes : '', completions);
  if (indexed) for (const pod of newSucceeded) succeededIndexes.add(completionIndex(pod) ?? 0);
  const failedIndexes = job.spec?.backoffLimitPerIndex === undefined ? undefined : findFailedIndexes(input, fresh);
  const active = pods.filter(isPodActive);
  return {
    ...input,
    indexed,
    active,
    terminating: pods.filter(isPodTerminating).length,
    succeeded: indexed
      ? succeededIndexes.size
      : (status.succeeded ?? 0) + newSucceeded.length + (stored.succeeded ?? []).length,
    failed: (status.failed ?? 0) + newFailed.length + (stored.failed ?? []).length,
    succeededIndexes,
    failedIndexes,
    held: failedIndexes === undefined ? new Map() : findHeld(job, fresh, active, succeededIndexes, failedIndexes),
  };
}

function findFailedIndexes({ job }: JobInput, fresh: readonly Pod[]): ReadonlySet<number> {
  const failed = parseIndexes(job.status?.failedIndexes, job.spec?.completions ?? 0);
  for (const pod of fresh) if (isIndexFailed(job, pod)) failed.add(completionIndex(pod) ?? 0);
  return failed;
}

function findHeld(
  job: Job,
  fresh: readonly Pod[],
  active: readonly Pod[],
  succeeded: ReadonlySet<number>,
  failed: ReadonlySet<number>,
): ReadonlyMap<number, Pod> {
  const activeIndexes = new Set(active.map(completionIndex));
  const held = new Map<number, Pod>();
  for (const pod of fresh) {
    const index = completionIndex(pod);
    if (index === undefined || !isPodFailed(job, pod)) continue;
    if (activeIndexes.has(index) || succeeded.has(index) || failed.has(index)) continue;
    const known = held.get(index);
    if (known === undefined || failuresOf(known) <= failuresOf(pod)) held.set(index, pod);
  }
  return held;
}

function failuresOf(pod: Pod): number {
  const annotations = pod.metadata?.annotations ?? {};
  return (
    Number(annotations['batch.kubernetes.io/job-index-failure-count'] ?? 0) +
    Number(annotations['batch.kubernetes.io/job-index-ignored-failure-count'] ?? 0)
  );
}

function isDone(view: JobView): boolean {
  const { completions } = view.job.spec ?? {};
  return completions === undefined ? view.succeeded > 0 : view.succeeded >= completions;
}

interface Suspension {
  readonly conditions: readonly JobCondition[];
  readonly events: readonly PlannedEvent[];
  readonly startTime: string | undefined;
}

/** Resuming starts the deadline's clock anew. */
function suspend({ job, now }: JobInput, startTime: string | undefined): Suspension | undefined {
  const suspended = isSuspended(job);
  const current = job.status?.conditions?.find((condition) => condition.type === 'Suspended');
  if (suspended === (current?.status === 'True')) return undefined;
  if (!suspended && current === undefined) return undefined;
  const [reason, message] = suspended ? ['JobSuspended', 'Job suspended'] : ['JobResumed', 'Job resumed'];
  const condition = { ...conditionOf('Suspended', reason, message, now), status: suspended ? 'True' : 'False' };
  return {
    conditions: withCondition(job.status?.conditions ?? [], condition),
    events: [{ type: 'Normal', reason: suspended ? 'Suspended' : 'Resumed', message }],
    startTime: suspended ? startTime : now,
  };
}

interface Counts {
  readonly active: number;
  readonly ready: number;
  readonly terminating: number;
  readonly startTime: string | undefined;
}

/** The status to store; the last condition only once every pod is counted and gone. */
function conclude(
  view: JobView,
  tracking: Tracking,
  finished: JobCondition | undefined,
  counts: Counts,
  suspension: readonly JobCondition[] | undefined,
): { readonly status: JobStatus; readonly events: readonly PlannedEvent[] } {
  const { job, now } = view;
  let conditions = suspension ?? job.status?.conditions ?? [];
  const events: PlannedEvent[] = [];
  let completionTime = job.status?.completionTime;
  if (finished !== undefined) {
    if (finished.type === 'SuccessCriteriaMet' || finished.type === 'FailureTarget') {
      conditions = withCondition(conditions, finished);
    }
    const { succeeded, failed } = tracking.uncounted;
    const unsettled = succeeded.length + failed.length + counts.terminating;
    const countedIndexes = tracking.release.length === 0 && !tracking.more;
    if (unsettled === 0 && countedIndexes) {
      const type = isSuccess(finished) ? 'Complete' : 'Failed';
      conditions = withCondition(conditions, conditionOf(type, finished.reason ?? '', finished.message ?? '', now));
      if (type === 'Complete') completionTime = now;
      events.push(finishedEvent(view, tracking, finished));
    }
  }
  const stored = parseIndexes(view.indexed ? job.status?.completedIndexes : '', job.spec?.completions ?? 0);
  const indexes = new Set([...stored, ...tracking.newIndexes]);
  const { startTime, ...numbers } = counts;
  const status: JobStatus = {
    ...numbers,
    ...(startTime !== undefined && { startTime }),
    succeeded: view.indexed ? indexes.size : tracking.succeeded,
    failed: tracking.failed,
    uncountedTerminatedPods: {
      ...(tracking.uncounted.succeeded.length > 0 && { succeeded: tracking.uncounted.succeeded }),
      ...(tracking.uncounted.failed.length > 0 && { failed: tracking.uncounted.failed }),
    },
    ...(view.indexed && { completedIndexes: formatIndexes(indexes) }),
    ...(view.failedIndexes !== undefined && { failedIndexes: formatIndexes(view.failedIndexes) }),
    ...(conditions.length > 0 && { conditions }),
    ...(completionTime !== undefined && { completionTime }),
  };
  return { status, events };
}

function finishedEvent(view: JobView, tracking: Tracking, finished: JobCondition): PlannedEvent {
  if (!isSuccess(finished)) {
    return { type: 'Warning', reason: finished.reason ?? '', message: finished.message ?? '' };
  }
  const { completions } = view.job.spec ?? {};
  if (completions !== undefined && !view.indexed && tracking.succeeded > completions) {
    const message = 'Too many succeeded pods running after completion count reached';
    return { type: 'Warning', reason: 'TooManySucceededPods', message };
  }
  return { type: 'Normal', reason: 'Completed', message: 'Job completed' };
}

function byIndex(left: Pod, right: Pod): number {
  return (completionIndex(left) ?? -1) - (completionIndex(right) ?? -1);
}

function deadlineLeftMs({ job, nowMs }: JobInput, startTime: string | undefined): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds;
  const started = timeMs(startTime);
  if (seconds === undefined || started === undefined || isSuspended(job)) return undefined;
  const left = started + seconds * 1000 - nowMs;
  return left > 0 ? left : undefined;
}

function earliest(left: number | undefined, right: number | undefined): number | undefined {
  if (left === undefined) return right;
  return right === undefined ? left : Math.min(left, right);
}
