import type { Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import type { RuntimeContainer } from './runtime-state.ts';
import { drainDelayMs, graceAfterHookMs, podGraceSeconds, terminationWaves } from './termination.ts';

const ran = (name: string, phase: RuntimeContainer['phase'] = 'running'): RuntimeContainer => ({
  id: name,
  podUid: 'u',
  name,
  attempt: 0,
  specHash: '',
  phase,
  createdAtMs: 0,
  image: '',
  imageId: '',
  sandboxId: '',
  backoffMs: 0,
  graceSeconds: 30,
});

describe('terminationWaves', () => {
  it('stops sidecars after everything else, last one first', () => {
    const pod: Pod = {
      spec: {
        containers: [{ name: 'a' }, { name: 'b' }],
        initContainers: [
          { name: 'i' },
          { name: 's1', restartPolicy: 'Always' },
          { name: 's2', restartPolicy: 'Always' },
        ],
      },
    };
    const containers = [ran('i', 'exited'), ran('s1'), ran('s2'), ran('a'), ran('b', 'created')];
    const waves = terminationWaves(pod, { uid: 'u', name: '', namespace: '', sandboxes: [], containers });
    expect(waves.map((wave) => wave.map(({ name }) => name))).toEqual([['a', 'b'], ['s2'], ['s1']]);
  });

  it('stops everything at once when the spec is not known', () => {
    const waves = terminationWaves(undefined, {
      uid: 'u',
      name: '',
      namespace: '',
      sandboxes: [],
      containers: [ran('a'), ran('b')],
    });
    expect(waves).toHaveLength(1);
  });
});

describe('grace periods', () => {
  it('takes the deletion’s before the spec’s, and never less than a second', () => {
    const grace = (deletion: number | undefined, spec: number | undefined) =>
      podGraceSeconds({
        metadata: { ...(deletion !== undefined && { deletionGracePeriodSeconds: deletion }) },
        spec: { containers: [], ...(spec !== undefined && { terminationGracePeriodSeconds: spec }) },
      });
    expect([grace(undefined, undefined), grace(undefined, 7), grace(3, 7), grace(0, 7)]).toEqual([30, 7, 3, 1]);
  });

  it('leaves two seconds after a long hook, but not more than there were', () => {
    expect([graceAfterHookMs(30_000, 5_000), graceAfterHookMs(30_000, 40_000), graceAfterHookMs(1_000, 1_000)]).toEqual(
      [25_000, 2_000, 1_000],
    );
  });
});

describe('drainDelayMs', () => {
  const drain = (more: Partial<Parameters<typeof drainDelayMs>[0]>) =>
    drainDelayMs({ ready: true, selected: true, graceMs: 30_000, drainMs: 2_000, ...more });
  it('holds SIGTERM back for pods that serve, within a third of their grace period', () => {
    expect(drain({})).toBe(2_000);
    expect(drain({ graceMs: 1_500 })).toBe(500);
    expect(drain({ ready: false })).toBe(0);
    expect(drain({ selected: false })).toBe(0);
  });
});
