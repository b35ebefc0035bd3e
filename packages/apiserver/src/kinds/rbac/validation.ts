import type { ClusterRole, PolicyRule, RoleBinding, RoleRef, Subject } from '@wherry/api';
import { checkDnsSubdomain, checkLabelSelector, checkName, checkRequired, checkSupported } from '../checks.ts';
import { sameValue } from '../equality.ts';
import { type Findings, invalid, notSupported, required } from '../findings.ts';
import { pathSegment } from '../names.ts';

const rbacGroup = 'rbac.authorization.k8s.io';

export function checkRules(findings: Findings, rules: readonly PolicyRule[] | undefined, isNamespaced: boolean): void {
  for (const [index, rule] of (rules ?? []).entries()) checkRule(findings, rule, isNamespaced, `rules[${index}]`);
}

export function checkClusterRole(findings: Findings, role: ClusterRole): void {
  checkRules(findings, role.rules, false);
  if (role.aggregationRule === undefined) return;
  const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
  const path = 'aggregationRule.clusterRoleSelectors';
  if (selectors.length === 0) {
    findings.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  }
  for (const [index, selector] of selectors.entries()) checkLabelSelector(findings, selector, `${path}[${index}]`);
}

/** `roleKinds`: a ClusterRoleBinding cannot refer to a role of some namespace. */
export function checkBinding(
  findings: Findings,
  binding: Pick<RoleBinding, 'roleRef' | 'subjects'>,
  roleKinds: readonly string[],
): void {
  const { apiGroup, kind, name } = binding.roleRef;
  checkSupported(findings, apiGroup, [rbacGroup], 'roleRef.apiGroup');
  checkSupported(findings, kind, roleKinds, 'roleRef.kind');
  if (checkRequired(findings, name, 'roleRef.name')) checkName(findings, pathSegment, name, 'roleRef.name');
  for (const [index, subject] of (binding.subjects ?? []).entries()) {
    checkSubject(findings, subject, `subjects[${index}]`);
  }
}

/** Whoever may add subjects to a binding must not be able to change what it grants. */
export function checkRoleRefFixed(findings: Findings, next: RoleRef, old: RoleRef): void {
  if (!sameValue(next, old)) findings.push(invalid('roleRef', next, 'cannot change roleRef'));
}

function checkRule(findings: Findings, rule: PolicyRule, isNamespaced: boolean, path: string): void {
  const { apiGroups = [], nonResourceURLs = [], resourceNames = [], resources = [] } = rule;
  if (rule.verbs.length === 0) findings.push(required(`${path}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const at = `${path}.nonResourceURLs`;
    if (isNamespaced) {
      findings.push(invalid(at, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    }
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      const detail = 'rules cannot apply to both regular resources and non-resource URLs';
      findings.push(invalid(at, nonResourceURLs, detail));
    }
    return;
  }
  if (apiGroups.length === 0) {
    findings.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  if (resources.length === 0) {
    findings.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
}

function checkSubject(findings: Findings, subject: Subject, path: string): void {
  checkRequired(findings, subject.name, `${path}.name`);
  switch (subject.kind) {
    case 'ServiceAccount':
      if (subject.name !== '') checkDnsSubdomain(findings, subject.name, `${path}.name`);
      if (subject.apiGroup) findings.push(notSupported(`${path}.apiGroup`, subject.apiGroup, ['']));
      checkRequired(findings, subject.namespace, `${path}.namespace`);
      break;
    case 'User':
    case 'Group':
      checkSupported(findings, subject.apiGroup ?? '', [rbacGroup], `${path}.apiGroup`);
      break;
    default:
      findings.push(notSupported(`${path}.kind`, subject.kind, ['ServiceAccount', 'User', 'Group']));
  }
}
