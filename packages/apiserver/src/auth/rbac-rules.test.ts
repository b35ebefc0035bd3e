import type { PolicyRule } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import type { AuthorizationAttributes } from './attributes.ts';
import { ruleAllows, uncovered } from './rbac-rules.ts';

const pods: PolicyRule = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', '*/scale'] };

function asking(about: Partial<AuthorizationAttributes>): AuthorizationAttributes {
  return {
    user: { name: 'u', uid: '', groups: [], extra: {} },
    verb: 'get',
    isResourceRequest: true,
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    namespace: '',
    name: '',
    path: '',
    fields: [],
    ...about,
  };
}

describe('ruleAllows', () => {
  it.each<[string, PolicyRule, Partial<AuthorizationAttributes>, boolean]>([
    ['a granted verb', pods, {}, true],
    ['another verb', pods, { verb: 'delete' }, false],
    ['another group', pods, { group: 'apps' }, false],
    ['a subresource of a granted resource', pods, { subresource: 'log' }, false],
    ['a subresource granted for all resources', pods, { resource: 'x', subresource: 'scale' }, true],
    [
      'everything',
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { group: 'g', resource: 'r', subresource: 's' },
      true,
    ],
    ['a named object', { ...pods, resourceNames: ['a'] }, { name: 'a' }, true],
    ['another object', { ...pods, resourceNames: ['a'] }, { name: 'b' }, false],
    ['a list where only names are granted', { ...pods, resourceNames: ['a'] }, { verb: 'list' }, false],
    [
      'a path by prefix',
      { verbs: ['get'], nonResourceURLs: ['/healthz/*'] },
      { isResourceRequest: false, path: '/healthz/etcd' },
      true,
    ],
    [
      'a path beside the prefix',
      { verbs: ['get'], nonResourceURLs: ['/healthz/*'] },
      { isResourceRequest: false, path: '/metrics' },
      false,
    ],
  ])('%s', (_name, rule, about, expected) => {
    expect(ruleAllows(rule, asking(about))).toBe(expected);
  });
});

describe('uncovered', () => {
  it.each<[string, readonly PolicyRule[], readonly PolicyRule[], number]>([
    ['what is held is covered', [pods], [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], 0],
    ['a verb more is not', [pods], [{ verbs: ['get', 'delete'], apiGroups: [''], resources: ['pods'] }], 1],
    ['two rules together cover', [pods, { ...pods, verbs: ['watch'] }], [{ ...pods, verbs: ['get', 'watch'] }], 0],
    ['a name does not cover all names', [{ ...pods, resourceNames: ['a'] }], [pods], 4],
    ['all names cover one', [pods], [{ ...pods, resourceNames: ['a'] }], 0],
  ])('%s', (_name, owned, wanted, count) => {
    expect(uncovered(owned, wanted)).toHaveLength(count);
  });
});
