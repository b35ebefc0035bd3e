import type {
  Affinity,
  LabelSelector,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from '@wherry/api';
import { checkLabelName, checkLabelSelector, checkName } from '../../checks.ts';
import { type Findings, forbidden, invalid, required } from '../../findings.ts';
import { dns1123Label, dns1123Subdomain, labelValue } from '../../names.ts';

export function checkAffinity(findings: Findings, affinity: Affinity | undefined, path: string): void {
  if (affinity === undefined) return;
  if (affinity.nodeAffinity !== undefined) checkNodeAffinity(findings, affinity.nodeAffinity, `${path}.nodeAffinity`);
  if (affinity.podAffinity !== undefined) checkPodAffinity(findings, affinity.podAffinity, `${path}.podAffinity`);
  if (affinity.podAntiAffinity !== undefined) {
    checkPodAffinity(findings, affinity.podAntiAffinity, `${path}.podAntiAffinity`);
  }
}

export function checkNodeSelector(findings: Findings, selector: NodeSelector, path: string): void {
  const at = `${path}.nodeSelectorTerms`;
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) findings.push(required(at, 'must have at least one node selector term'));
  for (const [index, term] of terms.entries()) checkNodeSelectorTerm(findings, term, `${at}[${index}]`);
}

/** Keys that select labels; `otherKeys` says whether they may name keys that are in the selector already. */
export function checkSpreadLabelKeys(
  findings: Findings,
  keys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  path: string,
): void {
  if (keys === undefined || keys.length === 0) return;
  if (selector === undefined) findings.push(forbidden(path, 'must not be specified when labelSelector is not set'));
  for (const [index, key] of keys.entries()) {
    checkLabelName(findings, key, `${path}[${index}]`);
    if (selector !== undefined && countKey(selector, key) > 1) {
      findings.push(invalid(`${path}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    }
  }
}

function checkNodeAffinity(findings: Findings, affinity: NodeAffinity, path: string): void {
  const needed = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  if (needed !== undefined) {
    checkNodeSelector(findings, needed, `${path}.requiredDuringSchedulingIgnoredDuringExecution`);
  }
  const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  for (const [index, term] of preferred.entries()) {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
    checkWeight(findings, term.weight, at);
    checkNodeSelectorTerm(findings, term.preference, `${at}.preference`);
  }
}

function checkNodeSelectorTerm(findings: Findings, term: NodeSelectorTerm, path: string): void {
  for (const [index, requirement] of (term.matchExpressions ?? []).entries()) {
    checkNodeRequirement(findings, requirement, `${path}.matchExpressions[${index}]`);
  }
  for (const [index, requirement] of (term.matchFields ?? []).entries()) {
    checkNodeFieldRequirement(findings, requirement, `${path}.matchFields[${index}]`);
  }
}

function checkNodeRequirement(findings: Findings, requirement: NodeSelectorRequirement, path: string): void {
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        findings.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        findings.push(
          forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      }
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        findings.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      }
      break;
    default:
      findings.push(invalid(`${path}.operator`, requirement.operator, 'not a valid selector operator'));
  }
  checkLabelName(findings, requirement.key, `${path}.key`);
  for (const [index, value] of values.entries()) checkName(findings, labelValue, value, `${path}.values[${index}]`);
}

/** Only a node's name can be matched as a field, by exactly one value. */
function checkNodeFieldRequirement(findings: Findings, requirement: NodeSelectorRequirement, path: string): void {
  const values = requirement.values ?? [];
  if (requirement.operator !== 'In' && requirement.operator !== 'NotIn') {
    findings.push(invalid(`${path}.operator`, requirement.operator, 'not a valid selector operator'));
  } else if (values.length !== 1) {
    findings.push(
      required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
    );
  }
  if (requirement.key !== 'metadata.name') {
    findings.push(invalid(`${path}.key`, requirement.key, 'not a valid field selector key'));
    return;
  }
  for (const [index, value] of values.entries()) {
    checkName(findings, dns1123Subdomain, value, `${path}.values[${index}]`);
  }
}

/** Affinity and anti-affinity have the same shape. */
function checkPodAffinity(findings: Findings, affinity: PodAffinity, path: string): void {
  for (const [index, term] of (affinity.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    checkPodAffinityTerm(findings, term, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`);
  }
  for (const [index, weighted] of (affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
    checkWeight(findings, weighted.weight, at);
    checkPodAffinityTerm(findings, weighted.podAffinityTerm, `${at}.podAffinityTerm`);
  }
}

function checkPodAffinityTerm(findings: Findings, term: PodAffinityTerm, path: string): void {
  checkLabelSelector(findings, term.labelSelector, `${path}.labelSelector`);
  checkLabelSelector(findings, term.namespaceSelector, `${path}.namespaceSelector`);
  for (const name of term.namespaces ?? []) checkName(findings, dns1123Label, name, `${path}.namespace`);
  checkAffinityLabelKeys(findings, term, path);
  if (term.topologyKey === '') findings.push(required(`${path}.topologyKey`, 'can not be empty'));
  checkLabelName(findings, term.topologyKey, `${path}.topologyKey`);
}

function checkAffinityLabelKeys(findings: Findings, term: PodAffinityTerm, path: string): void {
  const match = term.matchLabelKeys ?? [];
  const mismatch = term.mismatchLabelKeys ?? [];
  for (const [name, keys] of [
    ['matchLabelKeys', match],
    ['mismatchLabelKeys', mismatch],
  ] as const) {
    if (keys.length === 0) continue;
    if (term.labelSelector === undefined) {
      findings.push(forbidden(`${path}.${name}`, 'must not be specified when labelSelector is not set'));
      continue;
    }
    for (const [index, key] of keys.entries()) checkLabelName(findings, key, `${path}.${name}[${index}]`);
  }
  for (const [index, key] of match.entries()) {
    // The key's own requirement was merged into the selector on create, so one mention is expected.
    if (term.labelSelector !== undefined && countKey(term.labelSelector, key) > 1) {
      findings.push(invalid(`${path}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    }
    if (mismatch.includes(key)) {
      const detail = 'exists in both matchLabelKeys and mismatchLabelKeys';
      findings.push(invalid(`${path}.matchLabelKeys[${index}]`, key, detail));
    }
  }
}

function checkWeight(findings: Findings, weight: number, path: string): void {
  if (weight <= 0 || weight > 100) findings.push(invalid(`${path}.weight`, weight, 'must be in the range 1-100'));
}

function countKey(selector: LabelSelector, key: string): number {
  const inLabels = selector.matchLabels !== undefined && Object.hasOwn(selector.matchLabels, key) ? 1 : 0;
  return inLabels + (selector.matchExpressions ?? []).filter((expression) => expression.key === key).length;
}
