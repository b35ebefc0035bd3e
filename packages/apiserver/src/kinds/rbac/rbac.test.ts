import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { createRefusals, row, updateRefusals } from '../validation-cases.ts';
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from './strategy.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const apiGroup = 'rbac.authorization.k8s.io';
const metadata = { name: 'system:read:all', namespace: 'default' };

function role(...rules: readonly PolicyRule[]): Role {
  return { apiVersion, kind: 'Role', metadata, rules };
}

function clusterRole(change: Partial<ClusterRole>): ClusterRole {
  return { apiVersion, kind: 'ClusterRole', metadata: { name: 'r' }, ...change };
}

function binding(roleRef: Partial<RoleBinding['roleRef']>, ...subjects: readonly Subject[]): RoleBinding {
  return {
    apiVersion,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup, kind: 'Role', name: 'r', ...roleRef },
    subjects,
  };
}

describe('a role', () => {
  it('may have colons in its name, but no slashes', () => {
    expect(roleStrategy.validateName?.('system:a:b', false)).toEqual([]);
    expect(roleStrategy.validateName?.('a/b', false)).toEqual(["may not contain '/'"]);
  });

  const cases: readonly (readonly [string, PolicyRule, readonly string[]])[] = [
    ['a rule', { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] }, []],
    [
      'no verbs',
      { verbs: [], apiGroups: [''], resources: ['pods'] },
      ['rules[0].verbs: Required value: verbs must contain at least one value'],
    ],
    [
      'no resources',
      { verbs: ['get'] },
      [
        'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
        'rules[0].resources: Required value: resource rules must supply at least one resource',
      ],
    ],
    [
      'paths, which belong to no namespace',
      { verbs: ['get'], nonResourceURLs: ['/healthz'] },
      ['rules[0].nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs'],
    ],
  ];
  it.each(cases)('with %s', (_name, rule, refusals) => {
    expect(createRefusals(roleStrategy, role(rule))).toEqual(refusals);
  });

  it('of the cluster may grant paths, but not with resources', () => {
    const urls = { verbs: ['get'], nonResourceURLs: ['/healthz'] };
    expect(createRefusals(clusterRoleStrategy, clusterRole({ rules: [urls] }))).toEqual([]);
    expect(createRefusals(clusterRoleStrategy, clusterRole({ rules: [{ ...urls, resources: ['pods'] }] }))).toEqual([
      'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: rules cannot apply to both regular resources and non-resource URLs',
    ]);
    expect(createRefusals(clusterRoleStrategy, clusterRole({ aggregationRule: {} }))).toEqual([
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ]);
  });
});

describe('a binding', () => {
  const cases: readonly (readonly [string, RoleBinding, readonly string[]])[] = [
    ['a user', binding({}, { kind: 'User', apiGroup, name: 'u' }), []],
    ['an account', binding({ kind: 'ClusterRole' }, { kind: 'ServiceAccount', namespace: 'a', name: 'b' }), []],
    [
      'a role of another kind',
      binding({ kind: 'Pod' }),
      ['roleRef.kind: Unsupported value: "Pod": supported values: "ClusterRole", "Role"'],
    ],
    ['no role', binding({ name: '' }), ['roleRef.name: Required value']],
    [
      'an account of nowhere',
      binding({}, { kind: 'ServiceAccount', name: 'b' }),
      ['subjects[0].namespace: Required value'],
    ],
    [
      'a user of another group',
      binding({}, { kind: 'User', apiGroup: 'x', name: 'u' }),
      ['subjects[0].apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"'],
    ],
    [
      'somebody of unknown kind',
      binding({}, { kind: 'Robot', name: 'u' }),
      ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"'],
    ],
  ];
  it.each(cases)('with %s', (_name, object, refusals) => {
    expect(createRefusals(roleBindingStrategy, object)).toEqual(refusals);
  });

  it('keeps its role', () => {
    expect(updateRefusals(roleBindingStrategy, binding({}), binding({ name: 'other' }))).toEqual([
      'roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"other"}: cannot change roleRef',
    ]);
  });

  it('of the cluster binds only roles of the cluster', () => {
    const object: ClusterRoleBinding = { ...binding({}), kind: 'ClusterRoleBinding', metadata: { name: 'b' } };
    expect(createRefusals(clusterRoleBindingStrategy, object)).toEqual([
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    ]);
  });

  it('is shown with whom it binds', () => {
    const subjects = [
      { kind: 'User', apiGroup, name: 'u' },
      { kind: 'Group', apiGroup, name: 'g' },
      { kind: 'ServiceAccount', namespace: 'a', name: 'b' },
    ];
    expect(row(roleBindingStrategy, binding({}, ...subjects))).toMatchObject({
      Role: 'Role/r',
      Users: 'u',
      Groups: 'g',
      ServiceAccounts: 'a/b',
    });
  });
});
