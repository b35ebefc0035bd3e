import type { Job, JobSpec, JobStatus, Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import type { Owner } from '../../pods/ownership.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';
import { TRACKING_FINALIZER } from './new-pods.ts';
import { type JobPlan, planJob } from './plan.ts';

const NOW = '2025-01-01T01:00:00Z';
const NOW_MS = Date.parse(NOW);
const EARLIER = '2025-01-01T00:00:00Z';
const owner: Owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', namespace: 'ns', uid: 'u', deleting: false };

const jobOf = (spec: Partial<JobSpec>, status: JobStatus = { startTime: EARLIER }): Job => ({
  metadata: { name: 'j', namespace: 'ns', uid: 'u' },
  spec: {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    template: { metadata: { labels: { job: 'j' } }, spec: { containers: [{ name: 'c' }], restartPolicy: 'Never' } },
    ...spec,
  },
  status,
});

function withoutCompletions(job: Job): Job {
  const { completions: _, ...spec } = job.spec ?? { template: {} };
  return { ...job, spec };
}

interface Shape {
  readonly index?: number;
  readonly tracked?: boolean;
  readonly deleting?: boolean;
  readonly finished?: string;
  readonly exitCode?: number;
  readonly failures?: number;
}

const podOf = (name: string, phase: string, shape: Shape = {}): Pod => ({
  metadata: {
    name,
    namespace: 'ns',
    uid: name,
    annotations: {
      ...(shape.index !== undefined && { 'batch.kubernetes.io/job-completion-index': String(shape.index) }),
      ...(shape.failures !== undefined && { 'batch.kubernetes.io/job-index-failure-count': String(shape.failures) }),
    },
    ...(shape.tracked !== false && { finalizers: [TRACKING_FINALIZER] }),
    ...(shape.deleting && { deletionTimestamp: NOW }),
  },
  spec: { containers: [{ name: 'c' }] },
  status: {
    phase,
    ...((phase === 'Succeeded' || phase === 'Failed') && {
      containerStatuses: [
        {
          name: 'c',
          ready: false,
          restartCount: 0,
          image: '',
          imageID: '',
          state: {
            terminated: {
              exitCode: shape.exitCode ?? (phase === 'Failed' ? 1 : 0),
              finishedAt: shape.finished ?? EARLIER,
            },
          },
        },
      ],
    }),
  },
});

const plan = (job: Job, pods: readonly Pod[]): JobPlan => planJob({ job, owner, pods, nowMs: NOW_MS, now: NOW });
const names = (pods: readonly Pod[]) => pods.map((pod) => pod.metadata?.name);
const reasons = (result: JobPlan) => result.status?.conditions?.map(({ type, reason }) => `${type}:${reason}`);

describe('planJob, pods', () => {
  const running = (count: number) => Array.from({ length: count }, (_, at) => podOf(`r${at}`, 'Running'));
  const cases: readonly (readonly [string, Job, readonly Pod[], number, number])[] = [
    ['starts as many as parallelism', jobOf({ parallelism: 3, completions: 9 }), [], 3, 0],
    [
      'never more than successes are missing',
      jobOf({ parallelism: 5, completions: 6 }, { startTime: EARLIER, succeeded: 4 }),
      [],
      2,
      0,
    ],
    ['removes what is too much', jobOf({ parallelism: 1, completions: 9 }), running(3), 0, 2],
    ['without completions fills parallelism', withoutCompletions(jobOf({ parallelism: 2 })), [], 2, 0],
    ['suspended: removes all', jobOf({ parallelism: 2, completions: 9, suspend: true }), running(2), 0, 2],
    [
      'a terminating pod is replaced at once',
      jobOf({}),
      [podOf('t', 'Running', { deleting: true, tracked: false })],
      1,
      0,
    ],
    [
      'or only once it has ended',
      jobOf({ podReplacementPolicy: 'Failed' }),
      [podOf('t', 'Running', { deleting: true })],
      0,
      0,
    ],
  ];
  it.each(cases)('%s', (_, job, pods, create, remove) => {
    const result = plan(job, pods);
    expect([result.create.length, result.deleteUncounted.length]).toEqual([create, remove]);
  });

  it('gives each pod the tracking finalizer', () => {
    expect(plan(jobOf({}), []).create[0]?.metadata).toMatchObject({
      generateName: 'j-',
      finalizers: [TRACKING_FINALIZER],
    });
  });

  it('waits 10 s, 20 s, … after failures', () => {
    const failed = (name: string, finished: string) => podOf(name, 'Failed', { finished, tracked: false });
    const once = plan(jobOf({}, { startTime: EARLIER, failed: 1 }), [failed('a', '2025-01-01T00:59:56Z')]);
    expect([once.create.length, once.requeueAfterMs]).toEqual([0, 6000]);
    const twice = plan(jobOf({}, { startTime: EARLIER, failed: 2 }), [
      failed('a', EARLIER),
      failed('b', '2025-01-01T00:59:56Z'),
    ]);
    expect(twice.requeueAfterMs).toBe(16_000);
  });
});

describe('planJob, counting', () => {
  it('stores the uid, then frees the pod, then counts it, then completes', () => {
    const succeeded = podOf('a', 'Succeeded');
    const first = plan(jobOf({}), [succeeded]);
    expect(first.status).toMatchObject({ uncountedTerminatedPods: { succeeded: ['a'] } });
    expect(reasons(first)).toEqual(['SuccessCriteriaMet:CompletionsReached']);
    expect(names(first.release)).toEqual(['a']);
    const crashed = plan(jobOf({}, first.status), [succeeded]);
    expect(crashed.status).toBeUndefined();
    expect(names(crashed.release)).toEqual(['a']);
    const second = plan(jobOf({}, first.status), [podOf('a', 'Succeeded', { tracked: false })]);
    expect(second.status).toMatchObject({
      succeeded: 1,
      completionTime: NOW,
      uncountedTerminatedPods: {},
    });
    expect(reasons(second)).toEqual(['SuccessCriteriaMet:CompletionsReached', 'Complete:CompletionsReached']);
    expect(second.events).toEqual([{ type: 'Normal', reason: 'Completed', message: 'Job completed' }]);
  });

  it('counts a pod that vanished after it was named', () => {
    const status = { startTime: EARLIER, uncountedTerminatedPods: { failed: ['gone'] } };
    expect(plan(jobOf({}, status), []).status).toMatchObject({ failed: 1 });
  });

  it('does not count a freed pod again', () => {
    const status = { startTime: EARLIER, failed: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} };
    const result = plan(jobOf({}, status), [podOf('a', 'Failed', { tracked: false, finished: NOW })]);
    expect(result.status).toBeUndefined();
  });

  it('fails beyond the backoff limit: ends what runs, waits for it, then says Failed', () => {
    const job = jobOf({ backoffLimit: 0, parallelism: 2, completions: 2 });
    const first = plan(job, [podOf('bad', 'Failed'), podOf('good', 'Running')]);
    expect(names(first.deleteCounted)).toEqual(['good']);
    expect(reasons(first)).toEqual(['FailureTarget:BackoffLimitExceeded']);
    expect(first.status?.uncountedTerminatedPods?.failed).toEqual(['bad', 'good']);
    const waiting = plan(jobOf({ backoffLimit: 0 }, first.status), [
      podOf('good', 'Running', { deleting: true, tracked: false }),
    ]);
    expect(waiting.status).toMatchObject({ failed: 2, terminating: 1 });
    expect(reasons(waiting)).toEqual(['FailureTarget:BackoffLimitExceeded']);
    const last = plan(jobOf({ backoffLimit: 0 }, waiting.status), []);
    expect(reasons(last)).toEqual(['FailureTarget:BackoffLimitExceeded', 'Failed:BackoffLimitExceeded']);
    expect(last.events[0]).toMatchObject({ type: 'Warning', reason: 'BackoffLimitExceeded' });
  });

  it('fails after the active deadline and comes back for it', () => {
    expect(reasons(plan(jobOf({ activeDeadlineSeconds: 60 }), []))).toEqual([
      'FailureTarget:DeadlineExceeded',
      'Failed:DeadlineExceeded',
    ]);
    const early = plan(jobOf({ activeDeadlineSeconds: 60 }, { startTime: NOW }), [podOf('a', 'Running')]);
    expect(early.requeueAfterMs).toBe(60_000);
  });

  it('suspends and resumes with events and a new start', () => {
    const suspended = plan(jobOf({ suspend: true }), []);
    expect(suspended.events.map(({ reason }) => reason)).toEqual(['Suspended']);
    const resumed = plan(jobOf({}, suspended.status), []);
    expect(resumed.status).toMatchObject({ startTime: NOW, active: 1 });
    expect(resumed.events.map(({ reason }) => reason)).toEqual(['Resumed']);
  });
});

describe('planJob, indexed', () => {
  const spec: Partial<JobSpec> = { completionMode: 'Indexed', completions: 4, parallelism: 2 };
  it('starts the lowest free indexes', () => {
    const result = plan(jobOf(spec, { startTime: EARLIER, completedIndexes: '0' }), [
      podOf('b', 'Running', { index: 2 }),
    ]);
    expect(result.create.map((pod) => pod.metadata?.annotations?.['batch.kubernetes.io/job-completion-index'])).toEqual(
      ['1'],
    );
    expect(result.create[0]).toMatchObject({
      metadata: { generateName: 'j-1-', labels: { 'batch.kubernetes.io/job-completion-index': '1' } },
      spec: { hostname: 'j-1', containers: [{ env: [{ name: 'JOB_COMPLETION_INDEX' }] }] },
    });
  });
  it('remembers indexes instead of uids', () => {
    const result = plan(jobOf(spec), [podOf('a', 'Succeeded', { index: 1 }), podOf('b', 'Running', { index: 0 })]);
    expect(result.status).toMatchObject({
      completedIndexes: '1',
      succeeded: 1,
      uncountedTerminatedPods: {},
    });
  });
  it('removes a second pod of one index', () => {
    const result = plan(jobOf(spec), [podOf('a', 'Running', { index: 0 }), podOf('b', 'Pending', { index: 0 })]);
    expect(names(result.deleteUncounted)).toEqual(['b']);
  });
  it('replaces a failed pod per index with its count of failures, until its limit', () => {
    const limited = { ...spec, backoffLimitPerIndex: 1, backoffLimit: 2 ** 31 - 1 };
    const once = plan(jobOf(limited), [podOf('a', 'Failed', { index: 0, failures: 0 })]);
    expect(
      once.create.map((pod) => pod.metadata?.annotations?.['batch.kubernetes.io/job-index-failure-count']),
    ).toEqual(['1', '0']);
    expect(once.release).toEqual([]);
    const twice = plan(jobOf(limited), [podOf('a', 'Failed', { index: 0, failures: 1 })]);
    expect(twice.status).toMatchObject({ failedIndexes: '0' });
    expect(names(twice.release)).toEqual(['a']);
  });
  it('ends early by its success policy', () => {
    const result = plan(
      jobOf({ ...spec, successPolicy: { rules: [{ succeededIndexes: '1-2', succeededCount: 1 }] } }),
      [podOf('a', 'Succeeded', { index: 2 }), podOf('b', 'Running', { index: 0 })],
    );
    expect(reasons(result)).toEqual(['SuccessCriteriaMet:SuccessPolicy']);
    expect(names(result.deleteCounted)).toEqual(['b']);
  });
});

describe('pod failure policy', () => {
  const rules = (action: string) => ({ rules: [{ action, onExitCodes: { operator: 'In', values: [42] } }] });
  it('FailJob fails at once', () => {
    const result = plan(jobOf({ podFailurePolicy: rules('FailJob') }), [podOf('a', 'Failed', { exitCode: 42 })]);
    expect(result.status?.conditions?.[0]).toMatchObject({
      reason: 'PodFailurePolicy',
      message: 'Container c for pod ns/a failed with exit code 42 matching FailJob rule at index 0',
    });
  });
  it('Ignore replaces without counting', () => {
    const result = plan(jobOf({ backoffLimit: 0, podFailurePolicy: rules('Ignore') }), [
      podOf('a', 'Failed', { exitCode: 42 }),
    ]);
    expect(result.create.length).toBe(1);
    expect(result.status).toMatchObject({ uncountedTerminatedPods: {} });
  });
});

it('index lists are written as upstream writes them', () => {
  expect(formatIndexes(new Set([7, 1, 3, 4, 5, 8]))).toBe('1,3-5,7,8');
  expect([...parseIndexes('1,3-5,7', 5)]).toEqual([1, 3, 4]);
});
