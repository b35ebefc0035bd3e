import type { DaemonSet, Deployment, StatefulSet } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { rolloutStatus } from './rollout-status.ts';

const status = (kind: string, object: unknown) => rolloutStatus(kind, object as Deployment & DaemonSet & StatefulSet);
const metadata = { name: 'web', generation: 2 };

describe('rolloutStatus', () => {
  it.each([
    [{ observedGeneration: 1 }, 'Waiting for deployment spec update to be observed...', false],
    [
      { observedGeneration: 2, updatedReplicas: 1 },
      'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...',
      false,
    ],
    [
      { observedGeneration: 2, updatedReplicas: 3, replicas: 4 },
      'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...',
      false,
    ],
    [
      { observedGeneration: 2, updatedReplicas: 3, replicas: 3, availableReplicas: 2 },
      'Waiting for deployment "web" rollout to finish: 2 of 3 updated replicas are available...',
      false,
    ],
    [
      { observedGeneration: 2, updatedReplicas: 3, replicas: 3, availableReplicas: 3 },
      'deployment "web" successfully rolled out',
      true,
    ],
  ])('of a deployment with %j', (state, message, complete) => {
    expect(status('Deployment', { metadata, spec: { replicas: 3 }, status: state })).toEqual({ message, complete });
  });

  it('fails when the deadline has passed', () => {
    const conditions = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }];
    const object = { metadata, spec: {}, status: { observedGeneration: 2, conditions } };
    expect(() => status('Deployment', object)).toThrow('deployment "web" exceeded its progress deadline');
  });

  it('of a stateful set', () => {
    const spec = { replicas: 2, updateStrategy: { type: 'RollingUpdate' } };
    const waiting = { observedGeneration: 2, readyReplicas: 1 };
    expect(status('StatefulSet', { metadata, spec, status: waiting }).message).toBe(
      'Waiting for 1 pods to be ready...',
    );
    const done = {
      observedGeneration: 2,
      readyReplicas: 2,
      currentReplicas: 2,
      currentRevision: 'a',
      updateRevision: 'a',
    };
    expect(status('StatefulSet', { metadata, spec, status: done }).complete).toBe(true);
  });

  it('of a daemon set', () => {
    const spec = { updateStrategy: { type: 'RollingUpdate' } };
    const state = { observedGeneration: 2, desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 };
    expect(status('DaemonSet', { metadata, spec, status: state })).toEqual({
      message: 'daemon set "web" successfully rolled out',
      complete: true,
    });
  });

  it('knows no other kinds', () => {
    expect(() => status('Service', {})).toThrow('no status viewer has been implemented for Service');
  });
});
