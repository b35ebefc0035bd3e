import { describe, expect, it } from 'vitest';
import type { Container, Node, Pod } from '../generated/types.ts';
import { nodeSuitsPod } from '../nodes/node-selector.ts';
import { tolerates, untoleratedTaint } from '../nodes/tolerations.ts';
import { podLimits, podRequests } from './requests.ts';
import { isPodAvailable, podQosClass } from './state.ts';

const asks = (cpu: string, more: Partial<Container> = {}): Container => ({
  name: 'c',
  resources: { requests: { cpu } },
  ...more,
});

describe('podRequests', () => {
  it('sums containers and takes the peak of init containers', () => {
    const spec = { containers: [asks('100m'), asks('200m')], initContainers: [asks('1'), asks('50m')] };
    expect(podRequests({ spec })).toEqual({ cpu: 1000 });
  });

  it('counts sidecars with what starts after them', () => {
    const sidecar = asks('100m', { restartPolicy: 'Always' });
    const spec = {
      containers: [asks('200m')],
      initContainers: [asks('250m'), sidecar, asks('250m')],
      overhead: { cpu: '10m' },
    };
    expect(podRequests({ spec })).toEqual({ cpu: 360 });
  });

  it('prefers requests of the pod as a whole', () => {
    const spec = { containers: [asks('100m')], resources: { requests: { cpu: '2', memory: '1Ki' } } };
    expect(podRequests({ spec })).toEqual({ cpu: 2000, memory: 1024 });
  });

  it('fills what containers do not request, for scoring', () => {
    const spec = { containers: [asks('100m'), { name: 'd' }] };
    expect(podRequests({ spec }, { missing: { cpu: 100, memory: 200 } })).toEqual({ cpu: 200, memory: 400 });
  });

  it('adds overhead to existing limits only', () => {
    const spec = {
      containers: [{ name: 'c', resources: { limits: { cpu: '1' } } }],
      overhead: { cpu: '1', memory: '1' },
    };
    expect(podLimits({ spec })).toEqual({ cpu: 2000 });
  });
});

describe('pod state', () => {
  it.each([
    [{}, 'BestEffort'],
    [{ requests: { cpu: '1' } }, 'Burstable'],
    [{ limits: { cpu: '1', memory: '1' }, requests: { cpu: '1', memory: '1' } }, 'Guaranteed'],
    [{ limits: { cpu: '1', memory: '1' }, requests: { cpu: '500m', memory: '1' } }, 'Burstable'],
    [{ limits: { cpu: '1' }, requests: { cpu: '1' } }, 'Burstable'],
  ])('QoS of %j is %s', (resources, qos) => {
    expect(podQosClass({ spec: { containers: [{ name: 'c', resources }] } })).toBe(qos);
  });

  it('is available once ready for long enough', () => {
    const pod: Pod = {
      status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2024-01-01T00:00:00Z' }] },
    };
    const ready = Date.parse('2024-01-01T00:00:00Z');
    expect(isPodAvailable(pod, 0, ready)).toBe(true);
    expect(isPodAvailable(pod, 10, ready + 9_999)).toBe(false);
    expect(isPodAvailable(pod, 10, ready + 10_000)).toBe(true);
  });
});

describe('nodes', () => {
  const taint = { key: 'k', value: 'v', effect: 'NoSchedule' };

  it.each([
    [{ operator: 'Exists' }, true],
    [{ key: 'k', operator: 'Exists', effect: 'NoExecute' }, false],
    [{ key: 'k', value: 'v' }, true],
    [{ key: 'k', value: 'w' }, false],
    [{ key: 'other', operator: 'Exists' }, false],
  ])('%j tolerates: %s', (toleration, expected) => {
    expect(tolerates(toleration, taint)).toBe(expected);
    expect(untoleratedTaint([taint], [toleration], ['NoSchedule'])).toEqual(expected ? undefined : taint);
  });

  it('looks at effects asked for only', () => {
    expect(untoleratedTaint([taint], [], ['NoExecute'])).toBeUndefined();
  });

  const node: Node = { metadata: { name: 'n1', labels: { zone: 'a', cores: '8' } } };
  const affinity = (matchExpressions: object[], matchFields: object[] = []): Pod =>
    ({
      spec: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions, matchFields }] },
          },
        },
      },
    }) as unknown as Pod;

  it.each([
    [{ spec: { containers: [], nodeSelector: { zone: 'a' } } }, true],
    [{ spec: { containers: [], nodeSelector: { zone: 'b' } } }, false],
    [affinity([{ key: 'zone', operator: 'In', values: ['a', 'b'] }]), true],
    [affinity([{ key: 'cores', operator: 'Gt', values: ['8'] }]), false],
    [affinity([{ key: 'cores', operator: 'Lt', values: ['9'] }]), true],
    [affinity([], [{ key: 'metadata.name', operator: 'In', values: ['n1'] }]), true],
    [affinity([]), false],
  ])('node suits pod %#: %s', (pod, expected) => {
    expect(nodeSuitsPod(pod, node)).toBe(expected);
  });
});
