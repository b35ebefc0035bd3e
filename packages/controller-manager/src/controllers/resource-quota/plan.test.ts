import { type ApiObject, type Pod, type Resource, type ResourceQuota, resources } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { countedResources, givesBack, planQuota } from './plan.ts';

const quota = (hard: Record<string, string>, more: Partial<ResourceQuota> = {}): ResourceQuota => ({
  metadata: { name: 'q', namespace: 'ns' },
  spec: { hard },
  ...more,
});
const pod = (requests: Record<string, string>, spec: object = {}, phase = 'Running'): Pod => ({
  metadata: { name: 'p', namespace: 'ns' },
  spec: { containers: [{ name: 'c', resources: { requests } }], ...spec },
  status: { phase },
});
const among =
  (objects: Readonly<Record<string, readonly ApiObject[]>>) =>
  (resource: Resource): readonly ApiObject[] =>
    objects[resource.resource] ?? [];

describe('countedResources', () => {
  it.each([
    [['requests.cpu', 'pods'], ['pods']],
    [['count/deployments.apps'], ['deployments']],
    [
      ['services.nodeports', 'secrets'],
      ['secrets', 'services'],
    ],
    [['gold.storageclass.storage.k8s.io/requests.storage'], ['persistentvolumeclaims']],
    [['requests.example.com/gpu'], ['pods']],
    [['count/unicorns.example.com'], []],
  ])('%j counts %j', (names, expected) => {
    expect(
      countedResources(names)
        .map(({ resource }) => resource)
        .sort(),
    ).toEqual(expected);
  });
});

describe('planQuota', () => {
  it('counts what is there, leaving out what has ended', () => {
    const pods = [pod({ cpu: '250m', memory: '64Mi' }), pod({ cpu: '1' }), pod({ cpu: '5' }, {}, 'Succeeded')];
    const plan = planQuota(
      quota({ 'requests.cpu': '4', memory: '1Gi', pods: '5', 'count/pods': '9' }),
      among({ pods }),
      0,
    );
    expect(plan).toEqual({
      hard: { 'requests.cpu': '4', memory: '1Gi', pods: '5', 'count/pods': '9' },
      used: { 'requests.cpu': '1250m', memory: '64Mi', pods: '2', 'count/pods': '3' },
    });
  });

  it('changes nothing that is right, whatever way it is written', () => {
    const status = { hard: { pods: '5' }, used: { pods: '1' } };
    expect(planQuota(quota({ pods: '5' }, { status }), among({ pods: [pod({})] }), 0)).toBeUndefined();
    expect(planQuota(quota({ pods: '6' }, { status }), among({ pods: [pod({})] }), 0)?.hard).toEqual({ pods: '6' });
  });

  it('keeps what nobody can count and forgets what is no longer limited', () => {
    const status = { hard: { 'count/x.y': '5', pods: '1' }, used: { 'count/x.y': '3', pods: '1' } };
    expect(planQuota(quota({ 'count/x.y': '5' }, { status }), among({}), 0)?.used).toEqual({ 'count/x.y': '3' });
  });

  const scoped = (scopes: readonly string[], pods: readonly Pod[]) =>
    planQuota({ ...quota({ pods: '5' }), spec: { hard: { pods: '5' }, scopes } }, among({ pods }), 0)?.used?.['pods'];
  it.each([
    ['Terminating', '1'],
    ['NotTerminating', '2'],
    ['BestEffort', '1'],
    ['NotBestEffort', '2'],
    ['PriorityClass', '1'],
    ['CrossNamespacePodAffinity', '1'],
  ])('counts the pods in scope %s', (scope, expected) => {
    const term = { topologyKey: 'zone', namespaces: ['other'] };
    const pods = [
      pod({ cpu: '1' }, { activeDeadlineSeconds: 5 }),
      pod({}, { priorityClassName: 'high' }),
      pod({ cpu: '1' }, { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }),
    ];
    expect(scoped([scope], pods)).toBe(expected);
  });
});

it('replenishes when something goes or takes less, not when it comes', () => {
  const running = pod({ cpu: '1' });
  const now = (status: Pod['status']): Pod => ({ ...running, ...(status !== undefined && { status }) });
  expect(givesBack(resources.pods, undefined, running, 0)).toBe(false);
  expect(givesBack(resources.pods, running, undefined, 0)).toBe(true);
  expect(givesBack(resources.pods, running, now({ phase: 'Failed' }), 0)).toBe(true);
  expect(givesBack(resources.pods, running, now({ phase: 'Running', podIP: '1.2.3.4' }), 0)).toBe(false);
  expect(givesBack(resources.configmaps, { metadata: {} }, { metadata: {} }, 0)).toBe(false);
});
