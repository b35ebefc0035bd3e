import type { ClusterRole, ObjectMeta, PolicyRule } from '@wherry/api';
import { describe, expect, it, test } from 'vitest';
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from './rbac/strategy.ts';
import { bootstrapPolicy } from './rbac-bootstrap.ts';
import { createRefusals } from './validation-cases.ts';

const { clusterRoleBindings, clusterRoles, roleBindings, roles, withoutNodeAuthorizer } = bootstrapPolicy;
const allBindings = [...clusterRoleBindings, ...withoutNodeAuthorizer];

function keysOf(objects: readonly { readonly metadata?: ObjectMeta }[]): string[] {
  return objects.map(({ metadata }) => `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`);
}

function clusterRole(name: string): ClusterRole {
  const role = clusterRoles.find(({ metadata }) => metadata?.name === name);
  if (role === undefined) throw new Error(`No ClusterRole ${name}`);
  return role;
}

function grants(rules: readonly PolicyRule[] | undefined, verb: string, group: string, resource: string): boolean {
  const has = (list: readonly string[] | undefined, value: string): boolean =>
    list?.some((entry) => entry === value || entry === '*') ?? false;
  return (rules ?? []).some(
    (rule) => has(rule.verbs, verb) && has(rule.apiGroups, group) && has(rule.resources, resource),
  );
}

describe('the policy of a new cluster', () => {
  it.each([
    ['ClusterRoles', clusterRoles],
    ['ClusterRoleBindings', allBindings],
    ['Roles', roles],
    ['RoleBindings', roleBindings],
  ])('has %s of different names, marked as its own', (_kind, objects) => {
    const keys = keysOf(objects);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { metadata } of objects) {
      expect(metadata?.labels?.['kubernetes.io/bootstrapping']).toBe('rbac-defaults');
      expect(metadata?.annotations?.['rbac.authorization.kubernetes.io/autoupdate']).toBe('true');
    }
  });

  it('is valid', () => {
    for (const role of clusterRoles) expect(createRefusals(clusterRoleStrategy, role)).toEqual([]);
    for (const role of roles) expect(createRefusals(roleStrategy, role)).toEqual([]);
    for (const binding of allBindings) expect(createRefusals(clusterRoleBindingStrategy, binding)).toEqual([]);
    for (const binding of roleBindings) expect(createRefusals(roleBindingStrategy, binding)).toEqual([]);
  });

  it('binds only roles that exist', () => {
    const clusterNames = new Set(keysOf(clusterRoles));
    const names = new Set(keysOf(roles));
    for (const { roleRef } of allBindings) expect(clusterNames).toContain(`/${roleRef.name}`);
    for (const { metadata, roleRef } of roleBindings) {
      if (roleRef.kind === 'ClusterRole') expect(clusterNames).toContain(`/${roleRef.name}`);
      else expect(names).toContain(`${metadata?.namespace ?? ''}/${roleRef.name}`);
    }
  });

  it('has upstream’s roles for people and components', () => {
    const expected = [
      'cluster-admin',
      'admin',
      'edit',
      'view',
      'system:discovery',
      'system:basic-user',
      'system:public-info-viewer',
      'system:monitoring',
      'system:node',
      'system:node-proxier',
      'system:node-bootstrapper',
      'system:kube-scheduler',
      'system:kube-controller-manager',
      'system:kubelet-api-admin',
      'system:auth-delegator',
      'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
      'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
      'system:controller:deployment-controller',
      'system:controller:generic-garbage-collector',
      'system:controller:node-controller',
      'system:coredns',
    ];
    for (const name of expected) expect(() => clusterRole(name)).not.toThrow();
  });
});

test('readers see no secrets, editors no roles, administrators both', () => {
  const collected = (label: string): PolicyRule[] =>
    clusterRoles
      .filter(({ metadata }) => metadata?.labels?.[`rbac.authorization.k8s.io/aggregate-to-${label}`] === 'true')
      .flatMap(({ rules }) => rules ?? []);
  const view = collected('view');
  const edit = collected('edit');
  const admin = collected('admin');
  expect(grants(view, 'list', '', 'pods')).toBe(true);
  expect(grants(view, 'get', '', 'secrets')).toBe(false);
  expect(grants(view, 'delete', '', 'pods')).toBe(false);
  expect(grants(edit, 'create', 'apps', 'deployments')).toBe(true);
  expect(grants(edit, 'get', '', 'secrets')).toBe(true);
  expect(grants(edit, 'create', 'rbac.authorization.k8s.io', 'roles')).toBe(false);
  expect(grants(admin, 'create', 'rbac.authorization.k8s.io', 'roles')).toBe(true);
  for (const rules of [view, edit, admin]) expect(grants(rules, 'get', '', 'nodes')).toBe(false);
});

test('the controller manager has the rights of each of its controllers, by bindings of our own', () => {
  const controllers = clusterRoles.filter(({ metadata }) => metadata?.name?.startsWith('system:controller:'));
  expect(controllers.length).toBeGreaterThan(25);
  for (const { metadata } of controllers) {
    const bindings = clusterRoleBindings.filter(({ roleRef }) => roleRef.name === metadata?.name);
    const subjects = bindings.flatMap((binding) => binding.subjects ?? []);
    expect(subjects.map(({ kind }) => kind).toSorted()).toEqual(['ServiceAccount', 'User']);
    const own = bindings.find((binding) => binding.subjects?.[0]?.kind === 'User');
    expect(own?.metadata?.name).toMatch(/^wherry:kube-controller-manager:/);
    expect(own?.subjects?.[0]?.name).toBe('system:kube-controller-manager');
  }
});

test('the DNS server reads Services everywhere and publishes its own endpoints in kube-system', () => {
  const { rules } = clusterRole('system:coredns');
  expect(grants(rules, 'watch', '', 'services')).toBe(true);
  expect(grants(rules, 'list', 'discovery.k8s.io', 'endpointslices')).toBe(true);
  expect(grants(rules, 'create', 'discovery.k8s.io', 'endpointslices')).toBe(false);
  const own = roles.find(({ metadata }) => metadata?.name === 'system:coredns');
  expect(own?.metadata?.namespace).toBe('kube-system');
  expect(grants(own?.rules, 'create', 'discovery.k8s.io', 'endpointslices')).toBe(true);
});

test('nodes get rights by RBAC only where no Node authorizer gives them', () => {
  const boundToNodes = (bindings: typeof allBindings): string[] =>
    bindings
      .filter(({ subjects }) => subjects?.some(({ name }) => name === 'system:nodes'))
      .map(({ roleRef }) => roleRef.name);
  expect(boundToNodes([...clusterRoleBindings])).not.toContain('system:node');
  expect(boundToNodes([...withoutNodeAuthorizer])).toEqual(['system:node']);
});
