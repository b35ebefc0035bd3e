import type { PolicyRule } from '@wherry/api';
import type { AuthorizationAttributes } from './attributes.ts';

/** Whether a rule grants a request (upstream's rbac.RuleAllows). */
export function ruleAllows(rule: PolicyRule, attributes: AuthorizationAttributes): boolean {
  if (!attributes.isResourceRequest) {
    return matches(rule.verbs, attributes.verb) && pathMatches(rule, attributes.path);
  }
  return (
    matches(rule.verbs, attributes.verb) &&
    matches(rule.apiGroups, attributes.group) &&
    resourceMatches(rule.resources, attributes.resource, attributes.subresource) &&
    nameMatches(rule.resourceNames, attributes.name)
  );
}

function matches(allowed: readonly string[] | undefined, wanted: string): boolean {
  return allowed !== undefined && (allowed.includes(wanted) || allowed.includes('*'));
}

function resourceMatches(allowed: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (allowed === undefined) {
    return false;
  }
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  return allowed.some(
    (item) => item === '*' || item === combined || (subresource !== '' && item === `*/${subresource}`),
  );
}

function nameMatches(allowed: readonly string[] | undefined, name: string): boolean {
  return allowed === undefined || allowed.length === 0 || allowed.includes(name);
}

function pathMatches(rule: PolicyRule, path: string): boolean {
  return (rule.nonResourceURLs ?? []).some(
    (url) => url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))),
  );
}

/**
 * Rules of `wanted` that `owned` does not fully contain, broken down to single verbs and resources: what a user who
 * holds `owned` would gain by being given `wanted`.
 */
export function uncovered(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  return wanted.flatMap(breakDown).filter((part) => !owned.some((rule) => covers(rule, part)));
}

function breakDown(rule: PolicyRule): readonly PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const verb of rule.verbs ?? []) {
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const names = rule.resourceNames ?? [];
        const base = { verbs: [verb], apiGroups: [group], resources: [resource] };
        parts.push(...(names.length === 0 ? [base] : names.map((name) => ({ ...base, resourceNames: [name] }))));
      }
    }
    for (const url of rule.nonResourceURLs ?? []) {
      parts.push({ verbs: [verb], nonResourceURLs: [url] });
    }
  }
  return parts;
}

function covers(owner: PolicyRule, part: PolicyRule): boolean {
  if (!includesAll(owner.verbs, part.verbs)) {
    return false;
  }
  if (part.nonResourceURLs !== undefined) {
    return part.nonResourceURLs.every((url) => pathMatches(owner, url));
  }
  return (
    includesAll(owner.apiGroups, part.apiGroups) &&
    (part.resources ?? []).every((resource) => coversResource(owner.resources, resource)) &&
    ((owner.resourceNames ?? []).length === 0 ||
      ((part.resourceNames ?? []).length > 0 && includesAll(owner.resourceNames, part.resourceNames)))
  );
}

function includesAll(owned: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean {
  return (owned ?? []).includes('*') || (wanted ?? []).every((item) => (owned ?? []).includes(item));
}

function coversResource(owned: readonly string[] | undefined, resource: string): boolean {
  const slash = resource.indexOf('/');
  return (owned ?? []).some(
    (item) => item === '*' || item === resource || (slash !== -1 && item === `*${resource.slice(slash)}`),
  );
}

/** A rule as upstream prints it in an escalation error. */
export function describeRule(rule: PolicyRule): string {
  const parts: string[] = [];
  const add = (name: string, items: readonly string[] | undefined): void => {
    if (items !== undefined && items.length > 0) {
      parts.push(`${name}:[${items.map((item) => JSON.stringify(item)).join(', ')}]`);
    }
  };
  add('APIGroups', rule.apiGroups);
  add('Resources', rule.resources);
  add('ResourceNames', rule.resourceNames);
  add('NonResourceURLs', rule.nonResourceURLs);
  add('Verbs', rule.verbs);
  return `{${parts.join(', ')}}`;
}
