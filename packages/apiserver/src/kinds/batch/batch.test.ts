import type { CronJob, CronJobSpec, Job, JobSpec, JobStatus, PodTemplateSpec } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { created, createRefusals, row, subresourceRefusals, updateRefusals } from '../validation-cases.ts';
import { cronJobStrategy } from './cron-job.ts';
import { jobStrategy } from './job.ts';
import { scheduleProblem } from './schedule.ts';

const metadata = { name: 'once', namespace: 'default' };
const template: PodTemplateSpec = { spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never' } };

function job(change: Partial<JobSpec> = {}, status?: JobStatus): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata,
    spec: { template, ...change },
    ...(status === undefined ? {} : { status }),
  };
}

function withPod(change: object): PodTemplateSpec {
  return { spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never', ...change } };
}

describe('creating a Job', () => {
  it('gives it a selector of its own, and its pods the labels for it', () => {
    const { spec } = created(jobStrategy, job());
    expect(spec?.selector).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': 'uid-1' } });
    expect(spec?.template.metadata?.labels).toEqual({
      'batch.kubernetes.io/controller-uid': 'uid-1',
      'batch.kubernetes.io/job-name': 'once',
      'controller-uid': 'uid-1',
      'job-name': 'once',
    });
  });

  const failurePolicy: JobSpec['podFailurePolicy'] = {
    rules: [
      { action: 'FailJob', onExitCodes: { containerName: 'c', operator: 'In', values: [1, 2] } },
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ],
  };
  const cases: readonly (readonly [string, Partial<JobSpec>, readonly string[]])[] = [
    ['a template', {}, []],
    ['indexes', { completionMode: 'Indexed', completions: 3, parallelism: 2, backoffLimitPerIndex: 1 }, []],
    ['a failure policy', { podFailurePolicy: failurePolicy }, []],
    [
      'a success policy',
      { completionMode: 'Indexed', completions: 5, successPolicy: { rules: [{ succeededIndexes: '0,2-4' }] } },
      [],
    ],
    [
      'pods that never end',
      { template: withPod({ restartPolicy: 'Always' }) },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'less than nothing',
      { parallelism: -1 },
      ['spec.parallelism: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'indexes without a number',
      { completionMode: 'Indexed', parallelism: 2 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'a limit for each of no indexes',
      { backoffLimitPerIndex: 1 },
      ['spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
    ],
    [
      'somebody else’s labels',
      { template: { ...template, metadata: { labels: { 'job-name': 'other' } } } },
      [
        'spec.template.metadata.labels[job-name]: Invalid value: {"job-name":"other","batch.kubernetes.io/job-name":"once","controller-uid":"uid-1","batch.kubernetes.io/controller-uid":"uid-1"}: must be \'once\'',
      ],
    ],
    [
      'a selector of its own that it may not have',
      { selector: { matchLabels: { a: 'b' } } },
      [
        'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"uid-1","a":"b"}}: `selector` not auto-generated',
        'spec.template.metadata.labels: Invalid value: {"job-name":"once","batch.kubernetes.io/job-name":"once","controller-uid":"uid-1","batch.kubernetes.io/controller-uid":"uid-1"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'a policy for containers it does not have',
      {
        podFailurePolicy: {
          rules: [{ action: 'FailJob', onExitCodes: { containerName: 'x', operator: 'In', values: [0, 2, 1] } }],
        },
      },
      [
        'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template',
        'spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator',
        'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [0,2,1]: must be ordered',
      ],
    ],
    [
      'a policy for pods that restart themselves',
      { podFailurePolicy: failurePolicy, template: withPod({ restartPolicy: 'OnFailure' }) },
      [
        'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
      ],
    ],
    [
      'a name that is no manager',
      { managedBy: 'me' },
      ['spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(jobStrategy, job(change))).toEqual(refusals);
  });
});

describe('updating a Job', () => {
  const old = created(jobStrategy, job({ completions: 2 }));
  const changed = (change: Partial<JobSpec>, of: Job = old): Job => ({
    ...of,
    spec: { ...of.spec, template, ...of.spec, ...change },
  });

  it('may change how many work at once, and when it gives up', () => {
    expect(
      updateRefusals(jobStrategy, old, changed({ parallelism: 3, activeDeadlineSeconds: 5, suspend: true })),
    ).toEqual([]);
  });

  it('keeps what it does', () => {
    expect(updateRefusals(jobStrategy, old, changed({ completions: 3 }))).toEqual([
      'spec.completions: Invalid value: 3: field is immutable',
    ]);
    const [refusal] = updateRefusals(
      jobStrategy,
      old,
      changed({ template: { ...withPod({ nodeSelector: { a: 'b' } }), ...labelsOf(old) } }),
    );
    expect(refusal).toMatch(/^spec.template: Invalid value: .*: field is immutable$/);
  });

  it('grows by indexes and workers together', () => {
    const indexed = created(jobStrategy, job({ completionMode: 'Indexed', completions: 2, parallelism: 2 }));
    expect(updateRefusals(jobStrategy, indexed, changed({ completions: 3, parallelism: 3 }, indexed))).toEqual([]);
    expect(updateRefusals(jobStrategy, indexed, changed({ completions: 3 }, indexed))).toEqual([
      'spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism',
    ]);
  });

  it('may still choose its nodes before it starts', () => {
    const suspended = created(jobStrategy, job({ suspend: true }));
    const next = changed({ template: { ...withPod({ nodeSelector: { a: 'b' } }), ...labelsOf(suspended) } }, suspended);
    expect(updateRefusals(jobStrategy, suspended, next)).toEqual([]);
  });
});

describe('the status of a Job', () => {
  const now = '2026-01-01T00:00:00Z';
  const complete = { type: 'Complete', status: 'True', lastTransitionTime: now };
  const cases: readonly (readonly [string, JobStatus, readonly string[]])[] = [
    ['a good end', { startTime: now, completionTime: now, conditions: [complete], succeeded: 1 }, []],
    [
      'two ends',
      { startTime: now, completionTime: now, conditions: [complete, { ...complete, type: 'Failed' }] },
      ['status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions'],
    ],
    [
      'pods after its end',
      { startTime: now, completionTime: now, active: 1, conditions: [complete] },
      ['status.active: Invalid value: 1: active>0 is invalid for finished job'],
    ],
    [
      'an end without time',
      { startTime: now, conditions: [complete] },
      ['status.completionTime: Required value: completionTime is required for Complete jobs'],
    ],
  ];
  const old = created(jobStrategy, job());
  it.each(cases)('with %s', (_name, status, refusals) => {
    expect(subresourceRefusals(jobStrategy, 'status', old, { ...old, status })).toEqual(refusals);
  });

  it('is shown', () => {
    const status = { startTime: '2026-01-02T03:00:00Z', succeeded: 1 };
    expect(row(jobStrategy, job({ parallelism: 3 }, status))).toMatchObject({
      Status: 'Running',
      Completions: '1/1 of 3',
      Duration: '4m5s',
    });
    const end = { ...status, completionTime: '2026-01-02T03:00:07Z', conditions: [complete] };
    expect(row(jobStrategy, job({ completions: 1 }, end))).toMatchObject({
      Status: 'Complete',
      Completions: '1/1',
      Duration: '7s',
    });
    expect(jobStrategy.fieldSelectors?.['status.successful']?.(job({}, status))).toBe('1');
  });
});

describe('a CronJob', () => {
  const cronJob = (change: Partial<CronJobSpec> = {}, name = 'nightly'): CronJob => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, namespace: 'default' },
    spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template } }, ...change },
  });
  const cases: readonly (readonly [string, Partial<CronJobSpec>, readonly string[]])[] = [
    ['a schedule', {}, []],
    ['a time zone', { timeZone: 'Europe/Berlin' }, []],
    ['no schedule', { schedule: '' }, ['spec.schedule: Required value']],
    [
      'a bad schedule',
      { schedule: '61 * * * *' },
      ['spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61'],
    ],
    [
      'a zone in its schedule',
      { schedule: 'TZ=UTC 0 * * * *' },
      [
        'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ],
    ],
    [
      'a zone nobody lives in',
      { timeZone: 'Moon/Base' },
      ['spec.timeZone: Invalid value: "Moon/Base": unknown time zone Moon/Base'],
    ],
    [
      'the zone of some machine',
      { timeZone: 'Local' },
      [
        'spec.timeZone: Invalid value: "Local": must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ],
    ],
    [
      'an unknown policy',
      { concurrencyPolicy: 'Maybe' },
      ['spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"'],
    ],
    [
      'a selector for its Jobs',
      { jobTemplate: { spec: { template, selector: { matchLabels: { a: 'b' } } } } },
      ['spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated'],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(cronJobStrategy, cronJob(change))).toEqual(refusals);
  });

  it('has a name with room for the minute', () => {
    const name = 'n'.repeat(53);
    expect(createRefusals(cronJobStrategy, cronJob({}, name))).toEqual([
      `metadata.name: Invalid value: "${name}": must be no more than 52 characters`,
    ]);
    expect(updateRefusals(cronJobStrategy, cronJob({}, name), cronJob({ suspend: true }, name))).toEqual([]);
  });

  it('is shown with its schedule', () => {
    const object = {
      ...cronJob({ suspend: false }),
      status: { active: [{}], lastScheduleTime: '2026-01-02T03:00:00Z' },
    };
    expect(row(cronJobStrategy, object)).toMatchObject({
      Schedule: '0 3 * * *',
      Timezone: '<none>',
      Suspend: 'False',
      Active: 1,
      'Last Schedule': '4m5s',
    });
  });
});

describe('a schedule', () => {
  it.each([
    '* * * * *',
    '*/5 0-6,12 1 jan-mar MON-FRI',
    '@daily',
    '@every 1h30m',
    '0 0 ? * 0',
    '1-10/2 * * * *',
  ])('can be %s', (schedule) => {
    expect(scheduleProblem(schedule)).toBeUndefined();
  });

  it.each([
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['@never', 'unrecognized descriptor: @never'],
    ['@every x', 'failed to parse duration @every x: time: invalid duration "x"'],
  ])('cannot be %s', (schedule, problem) => {
    expect(scheduleProblem(schedule)).toBe(problem);
  });
});

function labelsOf(of: Job): Pick<PodTemplateSpec, 'metadata'> {
  const metadata = of.spec?.template.metadata;
  return metadata === undefined ? {} : { metadata };
}
