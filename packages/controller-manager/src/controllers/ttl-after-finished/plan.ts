import type { Job } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';

/** Milliseconds until a finished Job is to be deleted, 0 when it is due; undefined when it is to stay. */
export function timeToLiveMs(job: Job, nowMs: number): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  if (seconds === undefined || job.metadata?.deletionTimestamp !== undefined) return undefined;
  const finished = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
  const finishedMs = timeMs(finished?.lastTransitionTime);
  return finishedMs === undefined ? undefined : Math.max(0, finishedMs + seconds * 1000 - nowMs);
}
