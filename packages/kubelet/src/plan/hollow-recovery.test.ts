import type { ContainerStatus, Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { containerHash } from './container-hash.ts';
import { recoveredPod } from './hollow-recovery.ts';

const at = (second: number) => `2025-01-01T00:00:${String(second).padStart(2, '0')}Z`;
const ms = (second: number) => Date.parse(at(second));
const spec = { name: 'main', image: 'x:1' };

function podOf(status: Partial<ContainerStatus>, more: Pod['status'] = {}): Pod {
  const base = { name: 'main', image: 'x:1', imageID: 'hollow:x:1', ready: true, restartCount: 0 };
  return {
    metadata: { name: 'p', namespace: 'n', uid: 'ab-cd' },
    spec: { nodeName: 'h', containers: [spec], terminationGracePeriodSeconds: 7 },
    status: {
      phase: 'Running',
      podIP: '10.0.0.5',
      startTime: at(1),
      containerStatuses: [{ ...base, ...status }],
      ...more,
    },
  };
}

describe('recoveredPod', () => {
  it('finds what runs, with its address and times', () => {
    const pod = recoveredPod(podOf({ containerID: 'hollow://one', state: { running: { startedAt: at(5) } } }));
    expect(pod?.sandboxes).toMatchObject([{ id: 'abcdabcd', ip: '10.0.0.5', ready: true, attempt: 0 }]);
    expect(pod?.containers).toMatchObject([
      {
        id: 'one',
        phase: 'running',
        startedAtMs: ms(5),
        attempt: 0,
        backoffMs: 0,
        graceSeconds: 7,
        imageId: 'hollow:x:1',
      },
    ]);
    expect(pod?.containers[0]?.specHash).toBe(containerHash(spec));
  });

  it('keeps the run before, so that its end is still shown', () => {
    const terminated = {
      exitCode: 3,
      reason: 'Error',
      startedAt: at(2),
      finishedAt: at(4),
      containerID: 'hollow://old',
    };
    const pod = recoveredPod(
      podOf({
        containerID: 'hollow://new',
        restartCount: 2,
        state: { running: { startedAt: at(9) } },
        lastState: { terminated },
      }),
    );
    expect(pod?.containers).toMatchObject([
      { id: 'new', attempt: 2, backoffMs: 20_000, phase: 'running' },
      { id: 'old', attempt: 1, backoffMs: 10_000, phase: 'exited', exitCode: 3, finishedAtMs: ms(4) },
    ]);
  });

  it('goes on backing off', () => {
    const terminated = { exitCode: 1, reason: 'Error', startedAt: at(2), finishedAt: at(3), containerID: 'hollow://x' };
    const waiting = { reason: 'CrashLoopBackOff' };
    const status = { containerID: 'hollow://x', restartCount: 3, state: { waiting }, lastState: { terminated } };
    expect(recoveredPod(podOf(status))?.containers).toMatchObject([
      { id: 'x', attempt: 3, backoffMs: 40_000, phase: 'exited', exitCode: 1 },
    ]);
  });

  it('keeps the address of a pod that has only that', () => {
    const waiting = { reason: 'ContainerCreating' };
    const pod = recoveredPod(podOf({ state: { waiting } }, { phase: 'Pending' }));
    expect(pod?.sandboxes).toHaveLength(1);
    expect(pod?.containers).toEqual([]);
  });

  it.each([
    ['has ended', podOf({ containerID: 'hollow://x' }, { phase: 'Succeeded' })],
    ['has not begun', { metadata: { uid: 'a' }, spec: { containers: [spec] }, status: { phase: 'Pending' } }],
  ])('finds nothing of a pod that %s', (_, pod) => {
    expect(recoveredPod(pod)).toBeUndefined();
  });
});
