import type { LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { limitProblems, withLimitDefaults } from './limit-ranger.ts';

const range = (...limits: readonly LimitRangeItem[]): LimitRange => ({ spec: { limits } });
const pod = (...resources: readonly object[]): Pod => ({
  metadata: { name: 'p' },
  spec: { containers: resources.map((each, index) => ({ name: `c${index}`, resources: each })) },
});
const container = (item: Omit<LimitRangeItem, 'type'>): LimitRange => range({ type: 'Container', ...item });

describe('defaults', () => {
  const defaults = container({ default: { cpu: '500m', memory: '1Gi' }, defaultRequest: { cpu: '100m' } });
  it('are set where a container says nothing, and noted', () => {
    const { metadata, spec } = withLimitDefaults(pod({}, { limits: { cpu: '2' }, requests: { cpu: '1' } }), defaults);
    expect(spec?.containers.map(({ resources }) => resources)).toEqual([
      { requests: { cpu: '100m' }, limits: { cpu: '500m', memory: '1Gi' } },
      { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } },
    ]);
    expect(metadata?.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu request for container c0; cpu, memory limit for container c0; memory limit for container c1',
    );
  });
  it('leave a pod alone that needs none', () => {
    const given = pod({ limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '1' } });
    expect(withLimitDefaults(given, defaults)).toBe(given);
    expect(withLimitDefaults(given, range({ type: 'Pod', max: { cpu: '1' } }))).toBe(given);
  });
});

describe('limits', () => {
  it.each<readonly [string, LimitRange, Pod, readonly string[]]>([
    [
      'nothing to say',
      container({ min: { cpu: '1' }, max: { cpu: '2' } }),
      pod({ requests: { cpu: '1' }, limits: { cpu: '2000m' } }),
      [],
    ],
    [
      'no request',
      container({ min: { cpu: '1' } }),
      pod({}),
      ['minimum cpu usage per Container is 1.  No request is specified'],
    ],
    [
      'request too small',
      container({ min: { cpu: '1' } }),
      pod({ requests: { cpu: '900m' } }),
      ['minimum cpu usage per Container is 1, but request is 900m'],
    ],
    [
      'limit too small',
      container({ min: { cpu: '1' } }),
      pod({ requests: { cpu: '1' }, limits: { cpu: '0.5' } }),
      ['minimum cpu usage per Container is 1, but limit is 0.5'],
    ],
    [
      'no limit',
      container({ max: { memory: '1Gi' } }),
      pod({}),
      ['maximum memory usage per Container is 1Gi.  No limit is specified'],
    ],
    [
      'limit too large',
      container({ max: { memory: '1Gi' } }),
      pod({ limits: { memory: '2Gi' } }),
      ['maximum memory usage per Container is 1Gi, but limit is 2Gi'],
    ],
    [
      'ratio',
      container({ maxLimitRequestRatio: { cpu: '2' } }),
      pod({ requests: { cpu: '1' }, limits: { cpu: '3' } }),
      ['cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000'],
    ],
    [
      'ratio of nothing',
      container({ maxLimitRequestRatio: { cpu: '2' } }),
      pod({}),
      ['cpu max limit to request ratio per Container is 2, but no request is specified or request is 0'],
    ],
    [
      'pod sum',
      range({ type: 'Pod', max: { cpu: '1' } }),
      pod({ limits: { cpu: '600m' } }, { limits: { cpu: '600m' } }),
      ['maximum cpu usage per Pod is 1, but limit is 1200m'],
    ],
  ])('%s', (_, limits, given, expected) => {
    expect(limitProblems(given, limits, 'pods')).toEqual(expected);
  });

  const claim = (storage: string): PersistentVolumeClaim => ({ spec: { resources: { requests: { storage } } } });
  it.each([
    ['5Gi', []],
    ['1Gi', ['minimum storage usage per PersistentVolumeClaim is 2Gi, but request is 1Gi']],
    ['11Gi', ['maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 11Gi']],
  ])('a claim for %s', (storage, expected) => {
    const limits = range({ type: 'PersistentVolumeClaim', min: { storage: '2Gi' }, max: { storage: '10Gi' } });
    expect(limitProblems(claim(storage), limits, 'persistentvolumeclaims')).toEqual(expected);
  });
});
