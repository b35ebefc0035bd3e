import { type ApiObject, type Pod, quotaEvaluatorOf, type ResourceQuota } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { chargeQuotas, type LimitedResource, type QuotaRequest } from './charge.ts';

const quota = (hard: Record<string, string>, used: Record<string, string>, spec: object = {}): ResourceQuota => ({
  metadata: { name: 'q' },
  spec: { hard, ...spec },
  status: { hard, used },
});
const request = (object: ApiObject, more: Partial<QuotaRequest> & { readonly of?: string } = {}): QuotaRequest => ({
  evaluator: quotaEvaluatorOf({ group: '', resource: more.of ?? 'pods' }),
  resource: `/${more.of ?? 'pods'}`,
  operation: 'CREATE',
  subresource: '',
  old: undefined,
  object,
  ...more,
});
const pod = (resources: object = {}, spec: object = {}): Pod => ({
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', resources }], ...spec },
});
const usedAfter = (quotas: readonly ResourceQuota[], asked: QuotaRequest) => {
  const charge = chargeQuotas(quotas, asked, [], 0);
  return charge.kind === 'fits' ? charge.changed.map((index) => charge.quotas[index]?.status?.used) : charge.reason;
};

describe('what fits is added', () => {
  it.each<readonly [string, ResourceQuota, QuotaRequest, unknown]>([
    ['pods', quota({ pods: '2' }, { pods: '1' }), request(pod()), [{ pods: '2' }]],
    [
      'requests as they are written',
      quota({ 'requests.memory': '1Gi' }, { 'requests.memory': '512Mi' }),
      request(pod({ requests: { memory: '256Mi' } })),
      [{ 'requests.memory': '768Mi' }],
    ],
    [
      'objects',
      quota({ 'count/secrets': '2', secrets: '2' }, { 'count/secrets': '0', secrets: '0' }),
      request({}, { of: 'secrets' }),
      [{ 'count/secrets': '1', secrets: '1' }],
    ],
    [
      'node ports',
      quota({ 'services.nodeports': '5' }, { 'services.nodeports': '1' }),
      request({ spec: { type: 'NodePort', ports: [{}, {}] } } as ApiObject, { of: 'services' }),
      [{ 'services.nodeports': '3' }],
    ],
    [
      'storage of a class',
      quota(
        { 'gold.storageclass.storage.k8s.io/requests.storage': '10Gi' },
        { 'gold.storageclass.storage.k8s.io/requests.storage': '0' },
      ),
      request({ spec: { storageClassName: 'gold', resources: { requests: { storage: '3Gi' } } } } as ApiObject, {
        of: 'persistentvolumeclaims',
      }),
      [{ 'gold.storageclass.storage.k8s.io/requests.storage': '3Gi' }],
    ],
    [
      'nothing of other classes',
      quota(
        { 'gold.storageclass.storage.k8s.io/requests.storage': '10Gi' },
        { 'gold.storageclass.storage.k8s.io/requests.storage': '0' },
      ),
      request({ spec: { resources: { requests: { storage: '3Gi' } } } } as ApiObject, { of: 'persistentvolumeclaims' }),
      [],
    ],
    [
      'what an update adds',
      quota({ 'services.loadbalancers': '1' }, { 'services.loadbalancers': '0' }),
      request({ spec: { type: 'LoadBalancer' } } as ApiObject, {
        of: 'services',
        operation: 'UPDATE',
        old: { spec: { type: 'ClusterIP' } } as ApiObject,
      }),
      [{ 'services.loadbalancers': '1' }],
    ],
    [
      'nothing when an update adds nothing',
      quota({ services: '1' }, { services: '1' }),
      request({}, { of: 'services', operation: 'UPDATE', old: {} }),
      [],
    ],
    ['nothing where no limit is set', quota({ secrets: '1' }, { secrets: '1' }), request(pod()), []],
  ])('%s', (_, given, asked, expected) => {
    expect(usedAfter([given], asked)).toEqual(expected);
  });
});

describe('refusals', () => {
  it.each<readonly [string, ResourceQuota, QuotaRequest, string]>([
    [
      'exceeded',
      quota({ pods: '2' }, { pods: '2' }),
      request(pod()),
      'exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
    ],
    [
      'only what is exceeded is told',
      quota(
        { pods: '9', 'limits.cpu': '1', 'requests.cpu': '1' },
        { pods: '1', 'limits.cpu': '800m', 'requests.cpu': '900m' },
      ),
      request(pod({ limits: { cpu: '300m' }, requests: { cpu: '200m' } })),
      'exceeded quota: q, requested: limits.cpu=300m,requests.cpu=200m, used: limits.cpu=800m,requests.cpu=900m, limited: limits.cpu=1,requests.cpu=1',
    ],
    [
      'missing amounts',
      quota({ 'limits.cpu': '1', memory: '1Gi' }, { 'limits.cpu': '0', memory: '0' }),
      request(pod()),
      'failed quota: q: must specify limits.cpu for: c; memory for: c',
    ],
    [
      'not counted yet',
      { ...quota({ pods: '1' }, {}) },
      request(pod()),
      'status unknown for quota: q, resources: pods',
    ],
  ])('%s', (_, given, asked, expected) => {
    expect(usedAfter([given], asked)).toBe(expected);
  });

  it('one quota that is full spares the others', () => {
    const full = quota({ pods: '0' }, { pods: '0' });
    expect(usedAfter([quota({ pods: '5' }, { pods: '1' }), full], request(pod()))).toContain('exceeded quota');
  });

  it('a status without limits limits nothing', () => {
    expect(usedAfter([{ metadata: { name: 'q' }, spec: { hard: { pods: '0' } } }], request(pod()))).toEqual([]);
  });
});

describe('scopes', () => {
  const best = pod();
  const burst = pod({ requests: { cpu: '1' } });
  const ends = pod({}, { activeDeadlineSeconds: 60 });
  const high = pod({}, { priorityClassName: 'high' });
  const far = pod(
    {},
    {
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, podAffinityTerm: { topologyKey: 'z', namespaceSelector: {} } },
          ],
        },
      },
    },
  );
  it.each<readonly [string, object, readonly Pod[], readonly Pod[]]>([
    ['Terminating', { scopes: ['Terminating'] }, [ends], [best]],
    ['NotTerminating', { scopes: ['NotTerminating'] }, [best], [ends]],
    ['BestEffort', { scopes: ['BestEffort'] }, [best], [burst]],
    ['NotBestEffort', { scopes: ['NotBestEffort'] }, [burst], [best]],
    ['two', { scopes: ['BestEffort', 'Terminating'] }, [ends], [best]],
    ['PriorityClass Exists', { scopes: ['PriorityClass'] }, [high], [best]],
    [
      'PriorityClass In',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      [high],
      [best],
    ],
    [
      'PriorityClass NotIn',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'NotIn', values: ['high'] }] } },
      [best],
      [high],
    ],
    [
      'PriorityClass DoesNotExist',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'DoesNotExist' }] } },
      [best],
      [high],
    ],
    ['CrossNamespacePodAffinity', { scopes: ['CrossNamespacePodAffinity'] }, [far], [best]],
  ])('%s', (_, scope, inside, outside) => {
    const scoped = quota({ pods: '1' }, { pods: '0' }, scope);
    for (const each of inside) expect(usedAfter([scoped], request(each))).toEqual([{ pods: '1' }]);
    for (const each of outside) expect(usedAfter([scoped], request(each))).toEqual([]);
  });
});

it('what is limited by configuration needs a quota that covers it', () => {
  const limited: LimitedResource[] = [
    {
      resource: '/pods',
      matchContains: ['requests.cpu'],
      matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }],
    },
  ];
  const asks = request(pod({ requests: { cpu: '1' } }));
  const reason = (quotas: readonly ResourceQuota[], asked: QuotaRequest) => {
    const charge = chargeQuotas(quotas, asked, limited, 0);
    return charge.kind === 'refused' ? charge.reason : '';
  };
  expect(reason([], asks)).toBe('insufficient quota to consume: requests.cpu');
  expect(reason([quota({ 'requests.cpu': '4' }, { 'requests.cpu': '0' })], asks)).toBe('');
  const high = request(pod({}, { priorityClassName: 'high' }));
  expect(reason([], high)).toBe('insufficient quota to match these scopes: [{PriorityClass In [high]}]');
  expect(reason([quota({ pods: '4' }, { pods: '0' }, { scopes: ['PriorityClass'] })], high)).toBe('');
});
