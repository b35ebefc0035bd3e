import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '@wherry/api';
import { type Describer, describeWords } from './describer.ts';

export const describeRole: Describer<Role | ClusterRole> = (role, outline) => {
  outline.field('Name', role.metadata?.name);
  describeWords(outline, role);
  outline.block('PolicyRule', (inner) => {
    const heading = ['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs'];
    inner.row(...heading).row(...heading.map((word) => '-'.repeat(word.length)));
    for (const rule of brokenDown(role.rules ?? [])) {
      inner.row(rule.resource, `[${rule.urls.join(' ')}]`, `[${rule.names.join(' ')}]`, `[${rule.verbs.join(' ')}]`);
    }
  });
};

interface SimpleRule {
  readonly resource: string;
  readonly urls: readonly string[];
  readonly names: readonly string[];
  readonly verbs: readonly string[];
}

/** A line for each resource, verbs of equal ones joined. */
function brokenDown(rules: readonly PolicyRule[]): readonly SimpleRule[] {
  const simple = new Map<string, SimpleRule>();
  for (const rule of rules) {
    const groups = rule.apiGroups ?? [];
    const types = groups.flatMap((group) => (rule.resources ?? []).map((resource) => qualified(group, resource)));
    const names = rule.resourceNames ?? [];
    const parts: readonly Omit<SimpleRule, 'verbs'>[] = [
      ...types.flatMap((resource) =>
        (names.length === 0 ? [[]] : names.map((name) => [name])).map((own) => ({ resource, urls: [], names: own })),
      ),
      ...(rule.nonResourceURLs ?? []).map((url) => ({ resource: '', urls: [url], names: [] })),
    ];
    for (const part of parts) {
      const key = JSON.stringify(part);
      const before = simple.get(key)?.verbs ?? [];
      simple.set(key, { ...part, verbs: [...before, ...rule.verbs.filter((verb) => !before.includes(verb))] });
    }
  }
  return [...simple.values()].sort((a, b) => order(a).localeCompare(order(b), 'en'));
}

function order({ resource, urls, names }: SimpleRule): string {
  return `${resource} ${urls.join()} ${names.join()}`;
}

/** `deployments.apps/scale`. */
function qualified(group: string, resource: string): string {
  if (group === '') return resource;
  const [type = '', ...subresource] = resource.split('/');
  return [`${type}.${group}`, ...subresource].join('/');
}

export const describeBinding: Describer<RoleBinding | ClusterRoleBinding> = (binding, outline) => {
  const { roleRef, subjects = [] } = binding;
  outline.field('Name', binding.metadata?.name);
  describeWords(outline, binding);
  outline.block('Role', (inner) => void inner.field('Kind', roleRef.kind).field('Name', roleRef.name));
  outline.block('Subjects', (inner) => {
    inner.row('Kind', 'Name', 'Namespace').row('----', '----', '---------');
    for (const { kind, name, namespace = '' } of subjects) inner.row(kind, name, namespace);
  });
};
