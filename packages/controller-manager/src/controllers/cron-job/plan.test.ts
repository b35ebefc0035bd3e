import type { CronJob, CronJobSpec, CronJobStatus, Job } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import type { Owner } from '../../pods/ownership.ts';
import { type CronJobPlan, planCronJob, withActive } from './plan.ts';
import { parseSchedule } from './schedule.ts';

const at = (text: string) => Date.parse(text);
const rfc3339 = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');

describe('parseSchedule', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['*/15 * * * *', '2025-01-01T00:00:00Z', '2025-01-01T00:15:00Z'],
    ['5/20 * * * *', '2025-01-01T00:05:00Z', '2025-01-01T00:25:00Z'],
    ['0 3 * * *', '2025-01-01T03:00:00Z', '2025-01-02T03:00:00Z'],
    ['30 4 1,15 * 5', '2025-01-01T05:00:00Z', '2025-01-03T04:30:00Z'],
    ['0 9-17 * JAN-MAR MON-FRI', '2025-01-03T17:30:00Z', '2025-01-06T09:00:00Z'],
    ['0 0 29 2 *', '2025-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['@hourly', '2025-01-01T00:30:30Z', '2025-01-01T01:00:00Z'],
    ['@every 90s', '2025-01-01T00:00:00Z', '2025-01-01T00:01:30Z'],
  ];
  it.each(cases)('%s after %s', (text, after, expected) => {
    expect(rfc3339(parseSchedule(text).next(at(after)) ?? 0)).toBe(expected);
  });
  it('either day is enough when both are given', () => {
    expect(rfc3339(parseSchedule('0 0 13 * fri').next(at('2025-01-04T00:00:00Z')) ?? 0)).toBe('2025-01-10T00:00:00Z');
    expect(rfc3339(parseSchedule('0 0 13 * fri').next(at('2025-01-10T00:00:00Z')) ?? 0)).toBe('2025-01-13T00:00:00Z');
  });
  const zones: readonly (readonly [string, string, string, string])[] = [
    ['Europe/Berlin', '0 9 * * *', '2025-01-01T00:00:00Z', '2025-01-01T08:00:00Z'],
    ['Europe/Berlin', '0 9 * * *', '2025-07-01T00:00:00Z', '2025-07-01T07:00:00Z'],
    // 02:30 does not exist on 30 March 2025.
    ['Europe/Berlin', '30 2 * * *', '2025-03-29T12:00:00Z', '2025-03-31T00:30:00Z'],
    // 02:30 comes twice on 26 October 2025.
    ['Europe/Berlin', '30 2 * * *', '2025-10-25T12:00:00Z', '2025-10-26T00:30:00Z'],
    ['America/New_York', '0 0 * * *', '2025-01-01T00:00:00Z', '2025-01-01T05:00:00Z'],
  ];
  it.each(zones)('in %s: %s after %s', (zone, text, after, expected) => {
    expect(rfc3339(parseSchedule(text, zone).next(at(after)) ?? 0)).toBe(expected);
  });
  it.each(['* * * *', '61 * * * *', '5-1 * * * *', '*/0 * * * *', 'x * * * *', '@every x'])('refuses %s', (text) => {
    expect(() => parseSchedule(text)).toThrow();
  });
  it('never', () => {
    expect(parseSchedule('0 0 30 2 *').next(0)).toBeUndefined();
  });
});

const owner: Owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'c', namespace: 'ns', uid: 'u', deleting: false };
const cronJobOf = (spec: Partial<CronJobSpec> = {}, status: CronJobStatus = {}): CronJob => ({
  metadata: { name: 'c', namespace: 'ns', uid: 'u', creationTimestamp: '2025-01-01T00:00:00Z' },
  spec: { schedule: '*/5 * * * *', jobTemplate: { metadata: { labels: { a: 'b' } }, spec: { template: {} } }, ...spec },
  status,
});
const jobOf = (name: string, outcome?: string, startTime = '2025-01-01T00:00:00Z'): Job => ({
  metadata: { name, namespace: 'ns', uid: name },
  status: {
    startTime,
    ...(outcome && { conditions: [{ type: outcome, status: 'True' }], completionTime: '2025-01-01T00:03:00Z' }),
  },
});
const plan = (cronJob: CronJob, now: string, jobs: readonly Job[] = []): CronJobPlan =>
  planCronJob({ cronJob, owner, jobs, nowMs: at(now), rfc3339 });
const reasons = (result: CronJobPlan) => result.events.map(({ reason }) => reason);
const active = [{ name: 'old', uid: 'old' }];

describe('planCronJob', () => {
  it('waits for the next start', () => {
    expect(plan(cronJobOf(), '2025-01-01T00:03:00Z')).toMatchObject({ create: undefined, requeueAfterMs: 120_100 });
  });
  it('starts a Job that is named after its time', () => {
    const result = plan(cronJobOf(), '2025-01-01T00:05:00Z');
    expect(result.create?.metadata).toMatchObject({
      name: `c-${at('2025-01-01T00:05:00Z') / 60_000}`,
      labels: { a: 'b' },
      annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2025-01-01T00:05:00Z' },
    });
    const status = withActive(result.status ?? {}, jobOf('new'), [], '2025-01-01T00:05:00Z');
    expect(status).toMatchObject({ lastScheduleTime: '2025-01-01T00:05:00Z', active: [{ name: 'new' }] });
    expect(plan(cronJobOf({}, status), '2025-01-01T00:05:10Z', [jobOf('new')]).create).toBeUndefined();
  });
  it('makes up for the last missed start only', () => {
    const result = plan(cronJobOf(), '2025-01-01T00:23:00Z');
    expect(result.scheduledMs).toBe(at('2025-01-01T00:20:00Z'));
    expect(reasons(result)).toEqual([]);
  });
  it('warns when very many were missed', () => {
    const result = plan(cronJobOf(), '2025-01-02T00:00:00Z');
    expect([result.scheduledMs, reasons(result)]).toEqual([at('2025-01-02T00:00:00Z'), ['TooManyMissedTimes']]);
  });
  it.each([
    ['the deadline has passed', { startingDeadlineSeconds: 10, schedule: '0 0 1 1 *' }, {}, []],
    ['it is suspended', { suspend: true }, {}, []],
    ['the previous one runs', { concurrencyPolicy: 'Forbid' }, { active }, ['JobAlreadyActive']],
    ['the schedule makes no sense', { schedule: 'often' }, {}, ['UnparseableSchedule']],
    ['the time zone does not exist', { timeZone: 'Mars/Olympus' }, {}, ['UnknownTimeZone']],
  ] as const)('starts nothing when %s', (_, spec, status, expected) => {
    const result = plan(cronJobOf(spec, status), '2025-01-01T00:05:00Z', [jobOf('old')]);
    expect(result.create).toBeUndefined();
    expect(reasons(result)).toEqual(expected);
  });
  it('replaces the running one if told to', () => {
    const result = plan(cronJobOf({ concurrencyPolicy: 'Replace' }, { active }), '2025-01-01T00:05:00Z', [
      jobOf('old'),
    ]);
    expect([result.replace.length, result.create !== undefined]).toEqual([1, true]);
  });
  it('follows what became of its Jobs', () => {
    const done = plan(cronJobOf({}, { active }), '2025-01-01T00:04:00Z', [jobOf('old', 'Complete')]);
    expect([done.status, reasons(done)]).toEqual([{ lastSuccessfulTime: '2025-01-01T00:03:00Z' }, ['SawCompletedJob']]);
    const gone = plan(cronJobOf({}, { active }), '2025-01-01T00:04:00Z');
    expect([gone.status, reasons(gone)]).toEqual([{}, ['MissingJob']]);
  });
  it('keeps only so many ended Jobs', () => {
    const jobs = [1, 2, 3].map((day) => jobOf(`j${day}`, 'Complete', `2025-01-0${day}T00:00:00Z`));
    const result = plan(cronJobOf({ successfulJobsHistoryLimit: 1 }), '2025-01-01T00:04:00Z', [
      ...jobs,
      jobOf('f', 'Failed'),
    ]);
    expect(result.deleteFinished.map(({ metadata }) => metadata?.name)).toEqual(['j1', 'j2']);
  });
});
