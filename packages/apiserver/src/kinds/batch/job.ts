import { isConditionTrue, type Job, type JobSpec, type JobStatus } from '@wherry/api';
import { checkTemplateLabels, matchesIfReadable } from '../apps/workload.ts';
import { ageColumn, nameColumn, podColumns, selectorText, text } from '../cells.ts';
import { checkLabelSelector, checkNonNegative } from '../checks.ts';
import { templateWarnings } from '../core/pod/warnings.ts';
import { duplicate, type Findings, invalid, invalidWithoutValue, required } from '../findings.ts';
import { humanDuration } from '../human-duration.ts';
import { asPrefix, dns1123Label, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { checkJobSpec } from './job-spec.ts';
import { checkJobUpdate } from './job-update.ts';

const uidLabels = ['controller-uid', 'batch.kubernetes.io/controller-uid'] as const;
const nameLabels = ['job-name', 'batch.kubernetes.io/job-name'] as const;

export const jobStrategy = strategyOf<Job>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  defaultDeletion: 'orphan',
  prepareForCreate: withGeneratedSelector,
  check: (findings, job) => {
    if (job.spec === undefined) findings.push(required('spec.template', ''));
    else checkJob(findings, job, job.spec);
  },
  checkUpdate: checkJobUpdate,
  checkStatus: (findings, next) => checkJobStatus(findings, next.status ?? {}),
  warnings: (job) => templateWarnings(job.spec?.template, 'spec.template'),
  fieldSelectors: { 'status.successful': (job) => String(job.status?.succeeded ?? 0) },
  columns: [
    nameColumn,
    text('Status', statusText),
    text('Completions', completionsText),
    text('Duration', durationText),
    ageColumn,
    ...podColumns<Job>(
      (job) => job.spec?.template.spec?.containers,
      (job) => selectorText(job.spec?.selector),
    ),
  ],
});

/**
 * A Job finds its pods by its uid, so that no two Jobs ever share any. Labels that the user has set to something
 * else are left alone and refused by validation.
 */
function withGeneratedSelector(job: Job): Job {
  const { metadata, spec } = job;
  if (spec === undefined || spec.manualSelector === true) return job;
  const name = metadata?.name ?? '';
  const uid = metadata?.uid ?? '';
  const generated: Record<string, string> = {};
  for (const label of nameLabels) generated[label] = name;
  for (const label of uidLabels) generated[label] = uid;
  const { template } = spec;
  const labels = { ...generated, ...template.metadata?.labels };
  const matchLabels = { 'batch.kubernetes.io/controller-uid': uid, ...spec.selector?.matchLabels };
  return {
    ...job,
    spec: {
      ...spec,
      selector: { ...spec.selector, matchLabels },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

function checkJob(findings: Findings, job: Job, spec: JobSpec): void {
  checkGenerated(findings, job, spec);
  checkJobSpec(findings, spec, 'spec');
  if (spec.selector === undefined) findings.push(required('spec.selector', ''));
  else checkLabelSelector(findings, spec.selector, 'spec.selector');
  checkTemplateLabels(findings, spec.template, spec.selector, 'spec');
  if (spec.completionMode !== 'Indexed' || !spec.completions) return;
  const hostname = `${job.metadata?.name ?? ''}-${spec.completions - 1}`;
  if (dns1123Label(hostname).length > 0) {
    const detail = `will not able to create pod with invalid DNS label: ${hostname}`;
    findings.push(invalid('metadata.name', job.metadata?.name, detail));
  }
}

function checkGenerated(findings: Findings, job: Job, spec: JobSpec): void {
  if (spec.manualSelector === true || spec.selector === undefined) return;
  const uid = job.metadata?.uid ?? '';
  const name = job.metadata?.name ?? '';
  if (uid === '') findings.push(required('metadata.uid', ''));
  const labels = spec.template.metadata?.labels ?? {};
  const expected: Record<string, string> = {};
  const expectLabel = (label: string, value: string): void => {
    expected[label] = value;
    const actual = labels[label];
    const at = `spec.template.metadata.labels[${label}]`;
    if (actual === undefined) findings.push(required(at, `must be '${value}'`));
    else if (actual !== value) findings.push(invalid(at, labels, `must be '${value}'`));
  };
  for (const label of uidLabels) expectLabel(label, uid);
  for (const label of nameLabels) expectLabel(label, name);
  if (!matchesIfReadable(spec.selector, expected)) {
    findings.push(invalid('spec.selector', spec.selector, '`selector` not auto-generated'));
  }
}

/** What no controller could mean. Upstream refuses more, but only between versions of its own controller. */
function checkJobStatus(findings: Findings, status: JobStatus): void {
  for (const counter of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) {
    checkNonNegative(findings, status[counter], `status.${counter}`);
  }
  const seen = new Set<string>();
  for (const part of ['succeeded', 'failed'] as const) {
    for (const [index, uid] of (status.uncountedTerminatedPods?.[part] ?? []).entries()) {
      const at = `status.uncountedTerminatedPods.${part}[${index}]`;
      if (uid === '') findings.push(invalid(at, uid, 'must not be empty'));
      else if (seen.has(uid)) findings.push(duplicate(at, uid));
      seen.add(uid);
    }
  }
  const is = (type: string): boolean => isConditionTrue(status.conditions, type);
  const contradictions = [
    ['Complete', 'Failed', 'cannot set Complete=True and Failed=true conditions'],
    ['Complete', 'FailureTarget', 'cannot set Complete=True and FailureTarget=true conditions'],
    ['SuccessCriteriaMet', 'Failed', 'cannot set SuccessCriteriaMet=True and Failed=true conditions'],
    ['SuccessCriteriaMet', 'FailureTarget', 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions'],
  ] as const;
  for (const [one, other, detail] of contradictions) {
    if (is(one) && is(other)) findings.push(invalidWithoutValue('status.conditions', detail));
  }
  checkJobTimes(findings, status, is('Complete'), is('Failed'));
}

function checkJobTimes(findings: Findings, status: JobStatus, isComplete: boolean, isFailed: boolean): void {
  const { completionTime, startTime } = status;
  if (completionTime !== undefined && !isComplete) {
    const detail = 'cannot set completionTime when there is no Complete=True condition';
    findings.push(invalid('status.completionTime', completionTime, detail));
  }
  if (completionTime === undefined && isComplete) {
    findings.push(required('status.completionTime', 'completionTime is required for Complete jobs'));
  }
  if (startTime !== undefined && completionTime !== undefined && Date.parse(completionTime) < Date.parse(startTime)) {
    findings.push(invalid('status.completionTime', completionTime, 'completionTime cannot be set before startTime'));
  }
  if (!isComplete && !isFailed) return;
  if ((status.active ?? 0) > 0) {
    findings.push(invalid('status.active', status.active, 'active>0 is invalid for finished job'));
  }
  if (startTime === undefined) {
    findings.push(required('status.startTime', 'startTime is required for finished job'));
  }
}

function statusText(job: Job): string {
  const conditions = job.status?.conditions;
  if (isConditionTrue(conditions, 'Complete')) return 'Complete';
  if (isConditionTrue(conditions, 'Failed')) return 'Failed';
  if (job.metadata?.deletionTimestamp !== undefined) return 'Terminating';
  if (isConditionTrue(conditions, 'Suspended')) return 'Suspended';
  return isConditionTrue(conditions, 'FailureTarget') ? 'FailureTarget' : 'Running';
}

function completionsText(job: Job): string {
  const succeeded = job.status?.succeeded ?? 0;
  const { completions, parallelism = 0 } = job.spec ?? {};
  if (completions !== undefined) return `${succeeded}/${completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText(job: Job, nowMs: number): string {
  const { completionTime, startTime } = job.status ?? {};
  if (!startTime) return '';
  return humanDuration((completionTime ? Date.parse(completionTime) : nowMs) - Date.parse(startTime));
}
