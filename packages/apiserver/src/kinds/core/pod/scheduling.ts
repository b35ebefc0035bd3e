import type { PodSchedulingGate, PodSpec, Taint, Toleration, TopologySpreadConstraint } from '@wherry/api';
import { checkLabelName, checkLabelSelector, checkQualifiedName, checkSupported, notPositive } from '../../checks.ts';
import { duplicate, duplicateBecause, type Findings, invalid, notSupported, required } from '../../findings.ts';
import { labelValue } from '../../names.ts';
import { checkSpreadLabelKeys } from './affinity.ts';

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const tolerationOperators = ['Equal', 'Exists'];
const whenUnsatisfiable = ['DoNotSchedule', 'ScheduleAnyway'];
const inclusionPolicies = ['Honor', 'Ignore'];

export function checkTolerations(
  findings: Findings,
  tolerations: readonly Toleration[] | undefined,
  path: string,
): void {
  if (tolerations === undefined) return;
  for (let i = 0; i < tolerations.length; i++) {
    const toleration = tolerations[i];
    if (toleration !== undefined) checkToleration(findings, toleration, `${path}[${i}]`);
  }
}

export function checkTaints(findings: Findings, taints: readonly Taint[] | undefined, path: string): void {
  if (taints === undefined) return;
  const seen = new Set<string>();
  for (const [index, taint] of taints.entries()) {
    const at = `${path}[${index}]`;
    checkLabelName(findings, taint.key, `${at}.key`);
    const messages = labelValue(taint.value ?? '');
    if (messages.length > 0) findings.push(invalid(`${at}.value`, taint.value, messages.join(';')));
    if (taint.effect === '') findings.push(required(`${at}.effect`, ''));
    else checkSupported(findings, taint.effect, taintEffects, `${at}.effect`);
    const key = `${taint.effect} ${taint.key}`;
    if (seen.has(key)) findings.push(duplicateBecause(at, taint, 'taints must be unique by key and effect pair'));
    seen.add(key);
  }
}

export function checkTopologySpread(
  findings: Findings,
  constraints: readonly TopologySpreadConstraint[] | undefined,
  path: string,
): void {
  if (constraints === undefined) return;
  for (const [index, constraint] of constraints.entries()) {
    const at = `${path}[${index}]`;
    const { maxSkew, minDomains, topologyKey } = constraint;
    if (maxSkew <= 0) findings.push(invalid(`${at}.maxSkew`, maxSkew, notPositive));
    if (topologyKey === '') findings.push(required(`${at}.topologyKey`, 'can not be empty'));
    checkSupported(findings, constraint.whenUnsatisfiable, whenUnsatisfiable, `${at}.whenUnsatisfiable`);
    if (constraints.some((other, position) => position > index && isSameSpread(constraint, other))) {
      const pair = `{${topologyKey}, ${constraint.whenUnsatisfiable}}`;
      findings.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
    }
    if (minDomains !== undefined) checkMinDomains(findings, minDomains, constraint.whenUnsatisfiable, at);
    checkSupported(findings, constraint.nodeAffinityPolicy, inclusionPolicies, `${at}.nodeAffinityPolicy`);
    checkSupported(findings, constraint.nodeTaintsPolicy, inclusionPolicies, `${at}.nodeTaintsPolicy`);
    checkSpreadLabelKeys(findings, constraint.matchLabelKeys, constraint.labelSelector, `${at}.matchLabelKeys`);
    checkLabelSelector(findings, constraint.labelSelector, `${at}.labelSelector`);
  }
}

export function checkGates(findings: Findings, spec: PodSpec, path: string): void {
  for (const [index, gate] of (spec.readinessGates ?? []).entries()) {
    checkQualifiedName(findings, gate.conditionType, `${path}.readinessGates[${index}].conditionType`);
  }
  if (spec.schedulingGates !== undefined) checkSchedulingGates(findings, spec.schedulingGates, path);
}

function checkSchedulingGates(findings: Findings, gates: readonly PodSchedulingGate[], path: string): void {
  const seen = new Set<string>();
  for (const [index, gate] of gates.entries()) {
    const at = `${path}.schedulingGates[${index}]`;
    checkQualifiedName(findings, gate.name, at);
    if (seen.has(gate.name)) findings.push(duplicate(at, gate.name));
    seen.add(gate.name);
  }
}

function checkToleration(findings: Findings, toleration: Toleration, path: string): void {
  const { effect, key, operator = '', value = '' } = toleration;
  if (key) checkLabelName(findings, key, `${path}.key`);
  if (!key && operator !== 'Exists') {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    findings.push(invalid(`${path}.operator`, operator, detail));
  }
  if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    findings.push(invalid(`${path}.effect`, effect ?? '', detail));
  }
  if (operator === '' || operator === 'Equal') {
    const messages = labelValue(value);
    if (messages.length > 0) findings.push(invalid(`${path}.operator`, value, messages.join(';')));
  } else if (operator === 'Exists') {
    if (value !== '') {
      findings.push(invalid(`${path}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
    }
  } else {
    findings.push(notSupported(`${path}.operator`, operator, tolerationOperators));
  }
  if (effect) checkSupported(findings, effect, taintEffects, `${path}.effect`);
}

function isSameSpread(left: TopologySpreadConstraint, right: TopologySpreadConstraint): boolean {
  return left.topologyKey === right.topologyKey && left.whenUnsatisfiable === right.whenUnsatisfiable;
}

function checkMinDomains(findings: Findings, minDomains: number, action: string, path: string): void {
  if (minDomains <= 0) findings.push(invalid(`${path}.minDomains`, minDomains, notPositive));
  if (action !== 'DoNotSchedule') {
    const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`;
    findings.push(invalid(`${path}.minDomains`, minDomains, detail));
  }
}
