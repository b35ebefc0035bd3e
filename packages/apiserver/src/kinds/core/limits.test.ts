// ResourceQuotas and LimitRanges.
import type { LimitRange, LimitRangeItem, ResourceQuota, ResourceQuotaSpec } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { created, createRefusals, row, updateRefusals } from '../validation-cases.ts';
import { limitRangeStrategy } from './limit-range.ts';
import { resourceQuotaStrategy } from './resource-quota.ts';

function quota(spec: ResourceQuotaSpec): ResourceQuota {
  return { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q', namespace: 'default' }, spec };
}

function limitRange(...limits: readonly LimitRangeItem[]): LimitRange {
  return { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'l', namespace: 'default' }, spec: { limits } };
}

describe('a ResourceQuota', () => {
  const cases: readonly (readonly [string, ResourceQuotaSpec, readonly string[]])[] = [
    [
      'amounts of everything',
      {
        hard: {
          pods: '10',
          'requests.cpu': '2',
          'limits.memory': '1Gi',
          'count/deployments.apps': '3',
          'requests.example.com/gpu': '1',
          'fast.storageclass.storage.k8s.io/requests.storage': '1Gi',
        },
      },
      [],
    ],
    ['a scope', { hard: { pods: '1' }, scopes: ['BestEffort'] }, []],
    [
      'a negative amount',
      { hard: { pods: '-1' } },
      ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'],
    ],
    ['half a pod', { hard: { pods: '500m' } }, ['spec.hard[pods]: Invalid value: "500m": must be an integer']],
    [
      'an unknown resource',
      { hard: { cheese: '1' } },
      [
        'spec.hard[cheese]: Invalid value: "cheese": must be a standard resource type or fully qualified',
        'spec.hard[cheese]: Invalid value: "cheese": must be a standard resource for quota',
      ],
    ],
    [
      'scopes that exclude each other',
      { hard: { pods: '1' }, scopes: ['BestEffort', 'NotBestEffort'] },
      ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
    ],
    [
      'a scope that says nothing about its resource',
      { hard: { services: '1' }, scopes: ['Terminating'] },
      ['spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource'],
    ],
    [
      'a selector without values',
      { hard: { pods: '1' }, scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In' }] } },
      [
        "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      ],
    ],
  ];
  it.each(cases)('with %s', (_name, spec, refusals) => {
    expect(createRefusals(resourceQuotaStrategy, quota(spec))).toEqual(refusals);
  });

  it('keeps its scopes', () => {
    const old = created(resourceQuotaStrategy, quota({ hard: { pods: '1' }, scopes: ['BestEffort'] }));
    expect(updateRefusals(resourceQuotaStrategy, old, quota({ hard: { pods: '1' }, scopes: ['Terminating'] }))).toEqual(
      ['spec.scopes: Invalid value: ["Terminating"]: field is immutable'],
    );
  });

  it('shows what is used of what', () => {
    const object = quota({});
    const status = { hard: { pods: '3', 'limits.cpu': '2', cpu: '1' }, used: { pods: '1' } };
    expect(row(resourceQuotaStrategy, { ...object, status })).toMatchObject({
      Request: 'cpu: 0/1, pods: 1/3',
      Limit: 'limits.cpu: 0/2',
    });
  });
});

describe('a LimitRange', () => {
  const cases: readonly (readonly [string, LimitRangeItem, readonly string[]])[] = [
    [
      'everything in order',
      {
        type: 'Container',
        min: { cpu: '100m' },
        defaultRequest: { cpu: '200m' },
        default: { cpu: '300m' },
        max: { cpu: '400m' },
        maxLimitRequestRatio: { cpu: '2' },
      },
      [],
    ],
    [
      'a minimum above the maximum',
      { type: 'Pod', min: { cpu: '2' }, max: { cpu: '1' } },
      ['spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'],
    ],
    [
      'a default for whole pods',
      { type: 'Pod', default: { cpu: '1' } },
      ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
    ],
    [
      'a ratio below one',
      { type: 'Container', maxLimitRequestRatio: { cpu: '500m' } },
      ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
    ],
    [
      'a claim without bounds',
      { type: 'PersistentVolumeClaim' },
      [
        'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
      ],
    ],
    [
      'an unknown type',
      { type: 'Thing' },
      ['spec.limits[0].type: Invalid value: "Thing": must be a standard limit type or fully qualified'],
    ],
  ];
  it.each(cases)('with %s', (_name, item, refusals) => {
    expect(createRefusals(limitRangeStrategy, limitRange(item))).toEqual(refusals);
  });

  it('has each type once', () => {
    const item: LimitRangeItem = { type: 'Pod', max: { cpu: '1' } };
    expect(createRefusals(limitRangeStrategy, limitRange(item, item))).toEqual([
      'spec.limits[1].type: Duplicate value: "Pod"',
    ]);
  });
});
