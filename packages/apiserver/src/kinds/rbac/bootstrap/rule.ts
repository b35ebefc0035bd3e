// Short forms for policy: the names in a rule are a set, written in alphabetical order.
import type { ClusterRole, ClusterRoleBinding, ObjectMeta, PolicyRule, Role, RoleBinding, Subject } from '@wherry/api';

export const read = ['get', 'list', 'watch'];
export const readWrite = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
export const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];

export const core = [''];
export const apps = ['apps', 'extensions'];

type Names = readonly string[] | string;

/** `groups` as names of API groups, '' for core; words in one string are separated by spaces. */
export function rule(verbs: Names, groups: Names, resources: Names, names?: Names): PolicyRule {
  return {
    verbs: words(verbs),
    apiGroups: typeof groups === 'string' ? [groups] : groups.toSorted(),
    resources: words(resources),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
  };
}

/** Access to paths that are no resources. */
export function urls(verbs: Names, paths: Names): PolicyRule {
  return { verbs: words(verbs), nonResourceURLs: words(paths) };
}

export const writeEvents = rule('create patch update', ['', 'events.k8s.io'], 'events');

export function clusterRole(
  name: string,
  rules: readonly PolicyRule[],
  labels: Readonly<Record<string, string>> = {},
): ClusterRole {
  return { ...typeMeta('ClusterRole'), metadata: bootstrapMeta(name, labels), rules };
}

/** A role whose rules are the union of the roles that carry the label; a controller keeps it so. */
export function aggregatedRole(
  name: string,
  collects: string,
  labels: Readonly<Record<string, string>> = {},
): ClusterRole {
  const selector = { matchLabels: { [collects]: 'true' } };
  return { ...clusterRole(name, [], labels), aggregationRule: { clusterRoleSelectors: [selector] } };
}

export function clusterBinding(role: string, subjects: readonly Subject[], name = role): ClusterRoleBinding {
  return {
    ...typeMeta('ClusterRoleBinding'),
    metadata: bootstrapMeta(name),
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: role },
    ...(subjects.length === 0 ? {} : { subjects }),
  };
}

export function role(namespace: string, name: string, rules: readonly PolicyRule[]): Role {
  return { ...typeMeta('Role'), metadata: { ...bootstrapMeta(name), namespace }, rules };
}

export function binding(
  namespace: string,
  roleName: string,
  subjects: readonly Subject[],
  name = roleName,
): RoleBinding {
  return {
    ...typeMeta('RoleBinding'),
    metadata: { ...bootstrapMeta(name), namespace },
    roleRef: { apiGroup: rbacGroup, kind: 'Role', name: roleName },
    subjects,
  };
}

export function user(name: string): Subject {
  return { apiGroup: rbacGroup, kind: 'User', name };
}

export function group(name: string): Subject {
  return { apiGroup: rbacGroup, kind: 'Group', name };
}

export function serviceAccount(namespace: string, name: string): Subject {
  return { kind: 'ServiceAccount', name, namespace };
}

const rbacGroup = 'rbac.authorization.k8s.io';

function typeMeta(kind: string): { apiVersion: string; kind: string } {
  return { apiVersion: `${rbacGroup}/v1`, kind };
}

/** The annotation lets the server add what a newer version of itself needs; operators switch it off per role. */
function bootstrapMeta(name: string, labels: Readonly<Record<string, string>> = {}): ObjectMeta {
  return {
    name,
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  };
}

function words(names: Names): string[] {
  const list = typeof names === 'string' ? names.split(' ') : [...names];
  return list.sort();
}
