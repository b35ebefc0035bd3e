// Pod failure and success policies of a Job.
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from '@wherry/api';
import { checkNonNegative, checkQualifiedName } from '../checks.ts';
import {
  duplicate,
  type Findings,
  invalid,
  invalidWithoutValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../findings.ts';

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const exitCodeOperators = ['In', 'NotIn'];
const conditionStatuses = ['False', 'True', 'Unknown'];
const rulesMax = 20;
const exitCodesMax = 255;
const conditionsMax = 20;
const indexesLengthMax = 64 * 1024;

export function checkFailurePolicy(findings: Findings, spec: JobSpec, path: string): void {
  const rules = spec.podFailurePolicy?.rules ?? [];
  if (rules.length > rulesMax) findings.push(tooMany(`${path}.rules`, rules.length, rulesMax));
  const pod = spec.template.spec;
  const names = new Set([...(pod?.containers ?? []), ...(pod?.initContainers ?? [])].map(({ name }) => name));
  for (const [index, rule] of rules.entries()) checkRule(findings, spec, rule, names, `${path}.rules[${index}]`);
}

export function checkSuccessPolicy(findings: Findings, spec: JobSpec, path: string): void {
  const rules = spec.successPolicy?.rules ?? [];
  if (rules.length === 0) {
    const detail = 'at least one rules must be specified when the successPolicy is specified';
    findings.push(required(`${path}.rules`, detail));
  }
  if (rules.length > rulesMax) findings.push(tooMany(`${path}.rules`, rules.length, rulesMax));
  for (const [index, rule] of rules.entries()) {
    checkSuccessRule(findings, rule, spec.completions ?? 0, `${path}.rules[${index}]`);
  }
}

function checkRule(
  findings: Findings,
  spec: JobSpec,
  rule: PodFailurePolicyRule,
  containerNames: ReadonlySet<string>,
  path: string,
): void {
  if (rule.action === '') findings.push(required(`${path}.action`, `valid values: ${list(actions)}`));
  else if (rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    findings.push(invalid(`${path}.action`, rule.action, 'requires the backoffLimitPerIndex to be set'));
  } else if (!actions.includes(rule.action)) findings.push(notSupported(`${path}.action`, rule.action, actions));
  const { onExitCodes, onPodConditions = [] } = rule;
  if (onExitCodes !== undefined) checkExitCodes(findings, onExitCodes, containerNames, `${path}.onExitCodes`);
  if (onPodConditions.length > conditionsMax) {
    findings.push(tooMany(`${path}.onPodConditions`, onPodConditions.length, conditionsMax));
  }
  for (const [index, { status = '', type }] of onPodConditions.entries()) {
    const at = `${path}.onPodConditions[${index}]`;
    checkQualifiedName(findings, type, `${at}.type`);
    if (status === '') findings.push(required(`${at}.status`, `valid values: ${list(conditionStatuses)}`));
    else if (!conditionStatuses.includes(status)) {
      findings.push(notSupported(`${at}.status`, status, conditionStatuses));
    }
  }
  const hasConditions = onPodConditions.length > 0;
  if (onExitCodes !== undefined && hasConditions) {
    const detail = 'specifying both OnExitCodes and OnPodConditions is not supported';
    findings.push(invalidWithoutValue(path, detail));
  }
  if (onExitCodes === undefined && !hasConditions) {
    const detail = 'specifying one of OnExitCodes and OnPodConditions is required';
    findings.push(invalidWithoutValue(path, detail));
  }
}

function checkExitCodes(
  findings: Findings,
  requirement: PodFailurePolicyOnExitCodesRequirement,
  containerNames: ReadonlySet<string>,
  path: string,
): void {
  const { containerName, operator, values } = requirement;
  if (operator === '') findings.push(required(`${path}.operator`, `valid values: ${list(exitCodeOperators)}`));
  else if (!exitCodeOperators.includes(operator)) {
    findings.push(notSupported(`${path}.operator`, operator, exitCodeOperators));
  }
  if (containerName !== undefined && !containerNames.has(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    findings.push(invalid(`${path}.containerName`, containerName, detail));
  }
  const at = `${path}.values`;
  if (values.length === 0) findings.push(invalid(at, values, 'at least one value is required'));
  else if (values.length > exitCodesMax) findings.push(tooMany(at, values.length, exitCodesMax));
  let isOrdered = true;
  for (const [index, value] of values.entries()) {
    if (operator === 'In' && value === 0) {
      findings.push(invalid(`${at}[${index}]`, value, 'must not be 0 for the In operator'));
    }
    if (values.indexOf(value) < index) findings.push(duplicate(`${at}[${index}]`, value));
    if (index > 0 && (values[index - 1] ?? 0) > value) isOrdered = false;
  }
  if (!isOrdered) findings.push(invalid(at, values, 'must be ordered'));
}

function checkSuccessRule(findings: Findings, rule: SuccessPolicyRule, completions: number, path: string): void {
  const { succeededCount, succeededIndexes } = rule;
  if (succeededCount === undefined && succeededIndexes === undefined) {
    findings.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'));
  }
  let total: number | undefined;
  if (succeededIndexes !== undefined) {
    const at = `${path}.succeededIndexes`;
    if (succeededIndexes.length > indexesLengthMax) findings.push(tooLong(at, succeededIndexes, indexesLengthMax));
    const counted = countIndexes(succeededIndexes, completions);
    if (typeof counted === 'string') {
      findings.push(invalid(at, succeededIndexes, `error parsing succeededIndexes: ${counted}`));
    } else total = counted;
  }
  if (succeededCount === undefined) return;
  const at = `${path}.succeededCount`;
  checkNonNegative(findings, succeededCount, at);
  if (succeededCount > completions) {
    const detail = `must be less than or equal to ${completions} (the number of specified completions)`;
    findings.push(invalid(at, succeededCount, detail));
  }
  if (total !== undefined && succeededCount > total) {
    const detail = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
    findings.push(invalid(at, succeededCount, detail));
  }
}

/** How many indexes `1,3-5` names, or what is wrong with the text. */
function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0;
  let total = 0;
  let last = -1;
  for (const interval of text.split(',')) {
    const bounds = interval.split('-');
    if (bounds.length > 2)
      return `the fragment "${interval}" violates the requirement that an index interval can have at most two parts separated by '-'`;
    const [low = '', high = low] = bounds;
    if (!/^\d+$/.test(low) || !/^\d+$/.test(high)) {
      return `cannot convert string to integer for index: "${/^\d+$/.test(low) ? high : low}"`;
    }
    const [first, end] = [Number(low), Number(high)];
    if (end >= completions) return `too large index: "${high}"`;
    if (first <= last) return `non-increasing order, previous: ${last}, current: ${first}`;
    if (bounds.length === 2 && end <= first) return `non-increasing order, previous: ${first}, current: ${end}`;
    total += end - first + 1;
    last = end;
  }
  return total;
}

/** As Go prints a list of quoted strings. */
function list(values: readonly string[]): string {
  return `[${values.map((value) => `"${value}"`).join(' ')}]`;
}
