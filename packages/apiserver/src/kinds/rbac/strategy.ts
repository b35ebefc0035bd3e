import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding, Subject } from '@wherry/api';
import { ageColumn, nameColumn, text, wide } from '../cells.ts';
import { asPrefix, pathSegment } from '../names.ts';
import { strategyOf } from '../plain.ts';
import type { Column } from '../strategy.ts';
import { checkBinding, checkClusterRole, checkRoleRefFixed, checkRules } from './validation.ts';

const common = { validateName: asPrefix(pathSegment), allowCreateOnUpdate: true } as const;

export const roleStrategy = strategyOf<Role>({
  ...common,
  check: (findings, role) => checkRules(findings, role.rules, true),
});

export const clusterRoleStrategy = strategyOf<ClusterRole>({ ...common, check: checkClusterRole });

export const roleBindingStrategy = strategyOf<RoleBinding>({
  ...common,
  check: (findings, binding) => checkBinding(findings, binding, ['ClusterRole', 'Role']),
  checkUpdate: (findings, next, old) => checkRoleRefFixed(findings, next.roleRef, old.roleRef),
  columns: bindingColumns(),
});

export const clusterRoleBindingStrategy = strategyOf<ClusterRoleBinding>({
  ...common,
  check: (findings, binding) => checkBinding(findings, binding, ['ClusterRole']),
  checkUpdate: (findings, next, old) => checkRoleRefFixed(findings, next.roleRef, old.roleRef),
  columns: bindingColumns(),
});

function bindingColumns<T extends RoleBinding | ClusterRoleBinding>(): readonly Column<T>[] {
  return [
    nameColumn,
    text<T>('Role', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
    ageColumn,
    wide(text<T>('Users', ({ subjects }) => namesOf(subjects, 'User'))),
    wide(text<T>('Groups', ({ subjects }) => namesOf(subjects, 'Group'))),
    wide(text<T>('ServiceAccounts', ({ subjects }) => namesOf(subjects, 'ServiceAccount'))),
  ];
}

function namesOf(subjects: readonly Subject[] | undefined, kind: string): string {
  return (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' && namespace ? `${namespace}/${name}` : name))
    .join(', ');
}
