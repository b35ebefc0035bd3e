import type { JobSpec } from '@wherry/api';
import { checkName, checkNonNegative, checkSupported } from '../checks.ts';
import { checkPodTemplate } from '../core/pod/validation.ts';
import { type Findings, invalid, notSupported, required, tooLong } from '../findings.ts';
import { domainPrefixedPath } from '../signer-names.ts';
import { checkFailurePolicy, checkSuccessPolicy } from './job-policies.ts';

const indexedParallelismMax = 100_000;
const failedIndexesMax = 100_000;
/** Above this many indexes with limits of their own, the bookkeeping has to be bounded otherwise. */
const completionsSoftLimit = 100_000;
const parallelismForManyMax = 10_000;
const failedIndexesForManyMax = 10_000;
const managedByLengthMax = 63;

const counters = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

/** Everything but the selector, which a Job needs and a job template may not have. */
export function checkJobSpec(findings: Findings, spec: JobSpec, path: string): void {
  for (const counter of counters) checkNonNegative(findings, spec[counter], `${path}.${counter}`);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    findings.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (spec.managedBy !== undefined) {
    checkName(findings, domainPrefixedPath, spec.managedBy, `${path}.managedBy`);
    if (spec.managedBy.length > managedByLengthMax) {
      findings.push(tooLong(`${path}.managedBy`, spec.managedBy, managedByLengthMax));
    }
  }
  checkSupported(findings, spec.completionMode, ['NonIndexed', 'Indexed'], `${path}.completionMode`);
  const isIndexed = spec.completionMode === 'Indexed';
  if (isIndexed) checkIndexed(findings, spec, path);
  else checkNotIndexed(findings, spec, path);
  if (spec.podFailurePolicy !== undefined) checkFailurePolicy(findings, spec, `${path}.podFailurePolicy`);
  if (spec.successPolicy !== undefined) {
    if (isIndexed) checkSuccessPolicy(findings, spec, `${path}.successPolicy`);
    else findings.push(invalid(`${path}.successPolicy`, spec.successPolicy, 'requires indexed completion mode'));
  }
  const replacements = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  checkSupported(findings, spec.podReplacementPolicy, replacements, `${path}.podReplacementPolicy`);
  checkPodTemplate(findings, spec.template, `${path}.template`);
  checkRestart(findings, spec, `${path}.template.spec.restartPolicy`);
}

function checkIndexed(findings: Findings, spec: JobSpec, path: string): void {
  const { backoffLimitPerIndex, completions, maxFailedIndexes, parallelism } = spec;
  const atMost = (field: string, value: number | undefined, max: number, when: string): void => {
    if (value === undefined || value <= max) return;
    findings.push(invalid(`${path}.${field}`, value, `must be less than or equal to ${max}${when}`));
  };
  if (completions === undefined) {
    findings.push(required(`${path}.completions`, 'when completion mode is Indexed'));
  }
  atMost('parallelism', parallelism, indexedParallelismMax, ' when completion mode is Indexed');
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    findings.push(invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions'));
  }
  atMost('maxFailedIndexes', maxFailedIndexes, failedIndexesMax, '');
  if (completions === undefined || completions <= completionsSoftLimit || backoffLimitPerIndex === undefined) return;
  const when = ` when completions are above ${completionsSoftLimit} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined) {
    const detail = `must be specified when completions is above ${completionsSoftLimit}`;
    findings.push(required(`${path}.maxFailedIndexes`, detail));
  }
  atMost('parallelism', parallelism, parallelismForManyMax, when);
  atMost('maxFailedIndexes', maxFailedIndexes, failedIndexesForManyMax, when);
}

function checkNotIndexed(findings: Findings, spec: JobSpec, path: string): void {
  for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
    const value = spec[field];
    if (value !== undefined) findings.push(invalid(`${path}.${field}`, value, 'requires indexed completion mode'));
  }
}

function checkRestart(findings: Findings, spec: JobSpec, path: string): void {
  const policy = spec.template.spec?.restartPolicy ?? '';
  if (policy === '' || policy === 'Always') {
    findings.push(required(path, 'valid values: "OnFailure", "Never"'));
  } else if (policy !== 'OnFailure' && policy !== 'Never') {
    findings.push(notSupported(path, policy, ['OnFailure', 'Never']));
  } else if (spec.podFailurePolicy !== undefined && policy !== 'Never') {
    findings.push(invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'));
  }
}
