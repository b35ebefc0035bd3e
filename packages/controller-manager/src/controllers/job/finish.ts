import type { Job, JobCondition } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';
import { isPodFailed, restartsBeyondLimit } from './failures.ts';
import type { JobView } from './plan.ts';
import { judgeFailure, matchSuccessPolicy } from './policies.ts';

export function conditionOf(type: string, reason: string, message: string, now: string): JobCondition {
  return { type, status: 'True', reason, message, lastProbeTime: now, lastTransitionTime: now };
}

/** Replaces the condition of this type; it stays as it is when it says the same. */
export function withCondition(conditions: readonly JobCondition[], next: JobCondition): readonly JobCondition[] {
  const index = conditions.findIndex((condition) => condition.type === next.type);
  const current = conditions[index];
  if (current === undefined) return [...conditions, next];
  const same = current.status === next.status && current.reason === next.reason && current.message === next.message;
  return same ? conditions : conditions.with(index, next);
}

export interface FinishInput {
  readonly view: JobView;
  readonly startTime: string | undefined;
}

/**
 * Whether the Job is to end although it may still have active pods, in upstream's order of reasons. A decision once
 * stored (SuccessCriteriaMet, FailureTarget) is final.
 */
export function findFinish({ view, startTime }: FinishInput): JobCondition | undefined {
  const { job, now } = view;
  const stored = storedDecision(job, now);
  if (stored !== undefined) return stored;
  const fail = (reason: string, message: string) => conditionOf('FailureTarget', reason, message, now);
  for (const pod of job.spec?.podFailurePolicy === undefined ? [] : view.pods) {
    if (!isPodFailed(job, pod)) continue;
    const verdict = judgeFailure(job, pod);
    if (verdict.action === 'FailJob') return fail('PodFailurePolicy', verdict.message);
  }
  if (view.failed > (job.spec?.backoffLimit ?? 6) || restartsBeyondLimit(job, view.pods)) {
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  if (isPastDeadline(view, startTime)) {
    return fail('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  return view.indexed ? findIndexedFinish(view, fail) : undefined;
}

function findIndexedFinish(
  view: JobView,
  fail: (reason: string, message: string) => JobCondition,
): JobCondition | undefined {
  const { job, failedIndexes } = view;
  if (failedIndexes !== undefined) {
    const { maxFailedIndexes, completions = 0 } = job.spec ?? {};
    if (maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes) {
      return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
    }
    if (failedIndexes.size > 0 && failedIndexes.size + view.succeededIndexes.size >= completions) {
      return fail('FailedIndexes', 'Job has failed indexes');
    }
  }
  const met = matchSuccessPolicy(job, view.succeededIndexes);
  return met === undefined ? undefined : conditionOf('SuccessCriteriaMet', 'SuccessPolicy', met, view.now);
}

function storedDecision(job: Job, now: string): JobCondition | undefined {
  const isTrue = (type: string) =>
    job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
  const success = isTrue('SuccessCriteriaMet');
  if (success !== undefined) return success;
  const failure = isTrue('FailureTarget');
  return failure && conditionOf('Failed', failure.reason ?? '', failure.message ?? '', now);
}

function isPastDeadline({ job, nowMs }: JobView, startTime: string | undefined): boolean {
  const seconds = job.spec?.activeDeadlineSeconds;
  const started = timeMs(startTime);
  if (seconds === undefined || started === undefined || job.spec?.suspend === true) return false;
  return nowMs - started >= seconds * 1000;
}
