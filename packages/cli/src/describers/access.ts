import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '@wherry/api';
import { byBytes } from '../printers/go-json.ts';
import { type Describer, describeWords } from './describer.ts';

export const describeRole: Describer<Role | ClusterRole> = (role, outline) => {
  outline.field('Name', role.metadata?.name);
  describeWords(outline, role);
  outline.block('PolicyRule', (inner) => {
    const heading = ['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs'];
    inner.row(...heading).row(...heading.map((word) => '-'.repeat(word.length)));
    for (const row of ruleRows(role.rules ?? [])) inner.row(...row);
  });
};
/** A row for each resource, with kubectl's columns: resources, other URLs, names, verbs. */
export function ruleRows(rules: readonly PolicyRule[]): readonly (readonly string[])[] {
  return brokenDown(rules).map(({ group, type, urls, names, verbs }) => [
    qualified(group, type),
    `[${urls.join(' ')}]`,
    `[${names.join(' ')}]`,
    `[${verbs.join(' ')}]`,
  ]);
}

interface SimpleRule {
  readonly group: string;
  readonly type: string;
  readonly urls: readonly string[];
  readonly names: readonly string[];
  readonly verbs: readonly string[];
}

/** A line for each resource, verbs of equal ones joined. */
function brokenDown(rules: readonly PolicyRule[]): readonly SimpleRule[] {
  const simple = new Map<string, SimpleRule>();
  for (const rule of rules) {
    const groups = rule.apiGroups ?? [];
    const types = groups.flatMap((group) => (rule.resources ?? []).map((type) => ({ group, type })));
    const names = rule.resourceNames ?? [];
    const parts: readonly Omit<SimpleRule, 'verbs'>[] = [
      ...types.flatMap((what) =>
        (names.length === 0 ? [[]] : names.map((name) => [name])).map((own) => ({ ...what, urls: [], names: own })),
      ),
      ...(rule.nonResourceURLs ?? []).map((url) => ({ group: '', type: '', urls: [url], names: [] })),
    ];
    for (const part of parts) {
      const key = JSON.stringify(part);
      const before = simple.get(key)?.verbs ?? [];
      simple.set(key, { ...part, verbs: [...before, ...rule.verbs.filter((verb) => !before.includes(verb))] });
    }
  }
  return [...simple.values()].sort((a, b) => byBytes(order(a), order(b)));
}

/** kubectl's order: that of the rules' text in Go, where verbs come first. */
function order({ group, type, urls, names, verbs }: SimpleRule): string {
  return `Verbs:[${verbs.join(' ')}],APIGroups:[${group}],Resources:[${type}],ResourceNames:[${names.join(' ')}],NonResourceURLs:[${urls.join(' ')}],`;
}

/** `deployments.apps/scale`. */
function qualified(group: string, type: string): string {
  if (group === '') return type;
  const [plural = '', ...subresource] = type.split('/');
  return [`${plural}.${group}`, ...subresource].join('/');
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
