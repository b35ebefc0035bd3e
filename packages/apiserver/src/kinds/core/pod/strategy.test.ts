import type { Pod, PodSpec, ResourceRequirements } from '@wherry/api';
import { describe, expect, it, test } from 'vitest';
import { created, testContext } from '../../validation-cases.ts';
import { podQosClass } from './qos.ts';
import { podGraceSeconds, podStrategy } from './strategy.ts';

function pod(spec: Partial<PodSpec>, status?: Pod['status']): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'b', labels: { app: 'web', hash: 'h1' } },
    spec: { containers: [{ name: 'app', image: 'i' }], ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

describe('the QoS class', () => {
  const both = (cpu: string, memory: string): ResourceRequirements => ({
    requests: { cpu, memory },
    limits: { cpu, memory },
  });
  const cases: readonly (readonly [string, readonly ResourceRequirements[], string])[] = [
    ['nothing asked for', [{}], 'BestEffort'],
    ['zero asked for', [{ requests: { cpu: '0' } }], 'BestEffort'],
    ['a request', [{ requests: { cpu: '1' } }], 'Burstable'],
    ['requests equal to limits', [both('1', '1Gi'), both('500m', '64Mi')], 'Guaranteed'],
    [
      'equal amounts written differently',
      [{ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1000m', memory: '1024Mi' } }],
      'Guaranteed',
    ],
    ['one container without', [both('1', '1Gi'), {}], 'Burstable'],
    ['only one resource', [{ requests: { cpu: '1' }, limits: { cpu: '1' } }], 'Burstable'],
  ];
  test.each(cases)('with %s', (_name, resources, expected) => {
    const containers = resources.map((each, index) => ({ name: `c${index}`, image: 'i', resources: each }));
    expect(podQosClass(pod({ containers }))).toBe(expected);
  });

  it('is what the pod as a whole asks for, where it asks', () => {
    expect(podQosClass(pod({ resources: both('1', '1Gi') }))).toBe('Guaranteed');
  });
});

test('grace: as asked for, as the pod says, none for what nobody runs', () => {
  const assigned = pod({ nodeName: 'n', terminationGracePeriodSeconds: 30 });
  expect(podGraceSeconds(assigned, undefined)).toBe(30);
  expect(podGraceSeconds(assigned, 5)).toBe(5);
  expect(podGraceSeconds(assigned, 0)).toBe(0);
  expect(podGraceSeconds(assigned, -3)).toBe(1);
  expect(podGraceSeconds(pod({ terminationGracePeriodSeconds: 30 }), undefined)).toBe(0);
  expect(podGraceSeconds(pod({ nodeName: 'n' }, { phase: 'Succeeded' }), 30)).toBe(0);
});

test('a new pod is pending, with its class and, when gated, the reason', () => {
  expect(created(podStrategy, pod({})).status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  const gated = created(podStrategy, pod({ schedulingGates: [{ name: 'g.example/x' }] }));
  expect(gated.status?.conditions?.[0]).toMatchObject({
    type: 'PodScheduled',
    status: 'False',
    reason: 'SchedulingGated',
  });
});

test('matchLabelKeys become part of the selectors, once', () => {
  const selector = { matchLabels: { app: 'web' } };
  const ready = created(
    podStrategy,
    pod({
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'z',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: selector,
          matchLabelKeys: ['hash', 'none'],
        },
      ],
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'z', labelSelector: selector, mismatchLabelKeys: ['hash'] },
          ],
        },
      },
    }),
  );
  expect(ready.spec?.topologySpreadConstraints?.[0]?.labelSelector?.matchExpressions).toEqual([
    { key: 'hash', operator: 'In', values: ['h1'] },
  ]);
  const term = ready.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[0];
  expect(term?.labelSelector?.matchExpressions).toEqual([{ key: 'hash', operator: 'NotIn', values: ['h1'] }]);
  expect(podStrategy.validate(ready, testContext)).toEqual([]);
});

test('a status update leaves owners alone and keeps the class', () => {
  const old = created(podStrategy, pod({}));
  const next = {
    ...old,
    metadata: { ...old.metadata, ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u' }] },
    status: { phase: 'Running' },
  };
  const ready = podStrategy.subresources?.['status']?.prepareForUpdate(next, old, testContext);
  expect(ready?.metadata?.ownerReferences).toBeUndefined();
  expect(ready?.status).toEqual({ phase: 'Running', qosClass: 'BestEffort' });
});

test('a resize changes resources of containers and nothing else', () => {
  const old = created(
    podStrategy,
    pod({ containers: [{ name: 'app', image: 'i', resources: { requests: { cpu: '1' } } }] }),
  );
  const next = {
    ...old,
    spec: {
      ...old.spec,
      nodeName: 'x',
      containers: [{ name: 'app', image: 'other', resources: { requests: { cpu: '2' } } }],
    },
  };
  const rules = podStrategy.subresources?.['resize'];
  const ready = rules?.prepareForUpdate(next, old, testContext) ?? old;
  expect(ready.spec?.containers[0]).toMatchObject({ image: 'i', resources: { requests: { cpu: '2' } } });
  expect(ready.spec?.nodeName).toBeUndefined();
  expect(rules?.validateUpdate(ready, old, testContext)).toEqual([]);
});

test('warnings name what hardly ever is meant', () => {
  const env = [
    { name: 'A', value: '1' },
    { name: 'A', value: '2' },
  ];
  const warnings = podStrategy.warnings?.(
    pod({ containers: [{ name: 'app', image: 'i', env }], nodeSelector: { 'beta.kubernetes.io/os': 'linux' } }),
    undefined,
  );
  expect(warnings).toEqual([
    'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
    'spec.containers[0].env[1]: hides previous definition of "A", which may be unexpected',
  ]);
});
