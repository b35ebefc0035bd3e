import type { Job } from '@wherry/api';
import { expect, it } from 'vitest';
import { timeToLiveMs } from './plan.ts';

const jobOf = (ttl: number | undefined, finished: boolean, deleting = false): Job => ({
  metadata: { ...(deleting && { deletionTimestamp: 'x' }) },
  spec: { template: {}, ...(ttl !== undefined && { ttlSecondsAfterFinished: ttl }) },
  status: {
    conditions: finished ? [{ type: 'Failed', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' }] : [],
  },
});

it.each([
  ['waits', jobOf(60, true), 50_000],
  ['is due', jobOf(5, true), 0],
  ['has no limit', jobOf(undefined, true), undefined],
  ['has not finished', jobOf(5, false), undefined],
  ['is going already', jobOf(5, true, true), undefined],
])('%s', (_, job, expected) => {
  expect(timeToLiveMs(job, Date.parse('2025-01-01T00:00:10Z'))).toBe(expected);
});
