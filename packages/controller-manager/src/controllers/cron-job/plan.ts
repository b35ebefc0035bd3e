import type { CronJob, CronJobStatus, Job, ObjectReference } from '@wherry/api';
import { controllerReference, type Owner } from '../../pods/ownership.ts';
import { timeMs } from '../../pods/readiness.ts';
import { canonicalJson } from '../../pods/template-hash.ts';
import { parseSchedule, type Schedule, ScheduleError } from './schedule.ts';

const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** Missed starts from which something must be wrong. */
const MISSED_MAX = 100;
/** Added to waits, so that a timer never fires just before the minute. */
const SLACK_MS = 100;

export interface CronJobInput {
  readonly cronJob: CronJob;
  readonly owner: Owner;
  /** Jobs it owns. */
  readonly jobs: readonly Job[];
  readonly nowMs: number;
  readonly rfc3339: (ms: number) => string;
}

export interface CronJobEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface CronJobPlan {
  /** Ended Jobs beyond the history limits. */
  readonly deleteFinished: readonly Job[];
  /** Running Jobs that the new one replaces. */
  readonly replace: readonly Job[];
  readonly create: Job | undefined;
  /** When `create` succeeds, `status` must also name it; see `withActive`. */
  readonly status: CronJobStatus | undefined;
  readonly scheduledMs: number | undefined;
  readonly events: readonly CronJobEvent[];
  readonly requeueAfterMs: number | undefined;
  readonly why: string;
}

export function planCronJob(input: CronJobInput): CronJobPlan {
  const { cronJob, owner } = input;
  const { status, events } = followJobs(input);
  const base = {
    deleteFinished: finishedSurplus(input),
    replace: [],
    create: undefined,
    status: sameStatus(status, cronJob.status) ? undefined : status,
    scheduledMs: undefined,
    requeueAfterMs: undefined,
  };
  if (owner.deleting || cronJob.spec?.suspend === true) return { ...base, events, why: 'it is suspended or going' };
  let schedule: Schedule;
  try {
    schedule = parseSchedule(cronJob.spec?.schedule ?? '', cronJob.spec?.timeZone ?? 'UTC');
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    return { ...base, events: [...events, unreadable(cronJob, error)], why: error.message };
  }
  const due = mostRecentDue(input, schedule);
  const next = schedule.next(input.nowMs);
  const requeueAfterMs = next === undefined ? undefined : next - input.nowMs + SLACK_MS;
  const waiting = { ...base, requeueAfterMs };
  if (due.missed > MISSED_MAX) events.push(tooManyMissed(due.missed));
  if (due.atMs === undefined) return { ...waiting, events, why: 'no start is due' };
  return start(input, due.atMs, status, events, waiting);
}

function start(
  input: CronJobInput,
  atMs: number,
  status: CronJobStatus,
  events: CronJobEvent[],
  waiting: Omit<CronJobPlan, 'events' | 'why'>,
): CronJobPlan {
  const { cronJob, owner, jobs, nowMs } = input;
  const deadlineSeconds = cronJob.spec?.startingDeadlineSeconds;
  if (deadlineSeconds !== undefined && atMs + deadlineSeconds * 1000 < nowMs) {
    const message = `Missed scheduled time to start a job: ${new Date(atMs).toUTCString().replace('GMT', '+0000')}`;
    events.push({ type: 'Warning', reason: 'MissSchedule', message });
    return { ...waiting, events, why: 'the starting deadline has passed' };
  }
  const name = jobName(owner.name, atMs);
  if (jobs.some(({ metadata }) => metadata?.name === name) || timeMs(cronJob.status?.lastScheduleTime) === atMs) {
    return { ...waiting, events, why: 'this start was made already' };
  }
  const active = status.active ?? [];
  const policy = cronJob.spec?.concurrencyPolicy ?? 'Allow';
  if (policy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    events.push({ type: 'Normal', reason: 'JobAlreadyActive', message });
    return { ...waiting, events, why: 'the previous Job still runs' };
  }
  const uids = new Set(active.map(({ uid }) => uid));
  return {
    ...waiting,
    replace: policy === 'Replace' ? jobs.filter(({ metadata }) => uids.has(metadata?.uid ?? '')) : [],
    create: buildJob(input, name, atMs),
    scheduledMs: atMs,
    status,
    events,
    why: `start of ${input.rfc3339(atMs)} is due`,
  };
}

/** The status once `job` has been created in place of `replaced`. */
export function withActive(
  status: CronJobStatus,
  job: Job,
  replaced: readonly Job[],
  scheduledAt: string,
): CronJobStatus {
  const gone = new Set(replaced.map(({ metadata }) => metadata?.uid));
  const kept = (status.active ?? []).filter(({ uid }) => !gone.has(uid));
  return { ...status, active: [...kept, referenceOf(job)], lastScheduleTime: scheduledAt };
}

function referenceOf({ metadata }: Job): ObjectReference {
  const { name = '', namespace = '', uid = '', resourceVersion = '' } = metadata ?? {};
  return { apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid, resourceVersion };
}

function jobName(name: string, atMs: number): string {
  return `${name}-${Math.floor(atMs / 60_000)}`;
}

function buildJob({ cronJob, owner, rfc3339 }: CronJobInput, name: string, atMs: number): Job {
  const { metadata, spec } = cronJob.spec?.jobTemplate ?? {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: owner.namespace,
      ...(metadata?.labels !== undefined && { labels: metadata.labels }),
      annotations: { ...metadata?.annotations, [SCHEDULED_AT]: rfc3339(atMs) },
      creationTimestamp: rfc3339(atMs),
      ownerReferences: [controllerReference(owner)],
    },
    ...(spec !== undefined && { spec }),
  };
}

/** Brings the list of active Jobs up to date with what became of them. */
function followJobs({ cronJob, jobs }: CronJobInput): {
  readonly status: CronJobStatus;
  readonly events: CronJobEvent[];
} {
  const events: CronJobEvent[] = [];
  const byUid = new Map(jobs.map((job) => [job.metadata?.uid ?? '', job]));
  const listed = new Set((cronJob.status?.active ?? []).map(({ uid }) => uid ?? ''));
  let lastSuccessfulTime = cronJob.status?.lastSuccessfulTime;
  const active = (cronJob.status?.active ?? []).filter(({ uid, name }) => {
    const job = byUid.get(uid ?? '');
    if (job === undefined) {
      events.push({ type: 'Normal', reason: 'MissingJob', message: `Active job went missing: ${name}` });
      return false;
    }
    const outcome = outcomeOf(job);
    if (outcome === undefined) return true;
    const message = `Saw completed job: ${name}, condition: ${outcome}`;
    events.push({ type: 'Normal', reason: 'SawCompletedJob', message });
    return false;
  });
  for (const job of jobs) {
    if (outcomeOf(job) === undefined && !listed.has(job.metadata?.uid ?? '')) {
      // Created by us just before a crash: the name says that it is ours.
      active.push(referenceOf(job));
    }
    const completed = outcomeOf(job) === 'Complete' ? job.status?.completionTime : undefined;
    if (completed !== undefined && (timeMs(completed) ?? 0) > (timeMs(lastSuccessfulTime) ?? 0)) {
      lastSuccessfulTime = completed;
    }
  }
  const { lastScheduleTime } = cronJob.status ?? {};
  const status: CronJobStatus = {
    ...(active.length > 0 && { active }),
    ...(lastScheduleTime !== undefined && { lastScheduleTime }),
    ...(lastSuccessfulTime !== undefined && { lastSuccessfulTime }),
  };
  return { status, events };
}

export function outcomeOf(job: Job): 'Complete' | 'Failed' | undefined {
  const done = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
  return done === undefined ? undefined : done.type === 'Complete' ? 'Complete' : 'Failed';
}

function finishedSurplus({ cronJob, jobs }: CronJobInput): readonly Job[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec ?? {};
  const startedMs = (job: Job) => timeMs(job.status?.startTime) ?? timeMs(job.metadata?.creationTimestamp) ?? 0;
  const surplus = (outcome: 'Complete' | 'Failed', limit: number | undefined): readonly Job[] => {
    if (limit === undefined) return [];
    const finished = jobs.filter((job) => outcomeOf(job) === outcome && job.metadata?.deletionTimestamp === undefined);
    finished.sort((left, right) => startedMs(left) - startedMs(right));
    return finished.slice(0, Math.max(0, finished.length - limit));
  };
  return [...surplus('Complete', successfulJobsHistoryLimit), ...surplus('Failed', failedJobsHistoryLimit)];
}

/** The latest start that is due; earlier ones that were missed are counted, not made up for. */
function mostRecentDue(
  { cronJob, nowMs }: CronJobInput,
  schedule: Schedule,
): { readonly atMs: number | undefined; readonly missed: number } {
  const { lastScheduleTime } = cronJob.status ?? {};
  const deadlineSeconds = cronJob.spec?.startingDeadlineSeconds;
  let earliestMs = timeMs(lastScheduleTime) ?? timeMs(cronJob.metadata?.creationTimestamp) ?? nowMs;
  if (deadlineSeconds !== undefined) earliestMs = Math.max(earliestMs, nowMs - deadlineSeconds * 1000);
  const first = schedule.next(earliestMs);
  if (first === undefined || first > nowMs) return { atMs: undefined, missed: 0 };
  const second = schedule.next(first);
  if (second === undefined || second > nowMs) return { atMs: first, missed: 1 };
  // Near the end the starts are walked through one by one; before that only their number matters.
  const missed = Math.floor((nowMs - first) / (second - first)) + 1;
  let atMs = first;
  let from = Math.max(first, first + (missed - 2) * (second - first) - (second - first));
  for (let next = schedule.next(from); next !== undefined && next <= nowMs; next = schedule.next(from)) {
    atMs = next;
    from = next;
  }
  return { atMs, missed };
}

function tooManyMissed(missed: number): CronJobEvent {
  const message = `too many missed start times: ${missed}. Set or decrease .spec.startingDeadlineSeconds or check clock skew`;
  return { type: 'Warning', reason: 'TooManyMissedTimes', message };
}

function unreadable(cronJob: CronJob, error: ScheduleError): CronJobEvent {
  if (error.message.startsWith('unknown time zone')) {
    const message = `invalid timeZone: "${cronJob.spec?.timeZone}": ${error.message}`;
    return { type: 'Warning', reason: 'UnknownTimeZone', message };
  }
  const message = `unparseable schedule: "${cronJob.spec?.schedule}" : ${error.message}`;
  return { type: 'Warning', reason: 'UnparseableSchedule', message };
}

function sameStatus(next: CronJobStatus, old: CronJobStatus | undefined): boolean {
  const uids = (status: CronJobStatus | undefined) => (status?.active ?? []).map(({ uid }) => uid);
  return canonicalJson(uids(next)) === canonicalJson(uids(old)) && next.lastSuccessfulTime === old?.lastSuccessfulTime;
}
