import type { Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { controllerReference, type Owner } from '../../pods/ownership.ts';
import { planReplicas, type ReplicaTarget, replicaStatus } from './plan.ts';

const NOW_MS = Date.parse('2025-01-01T01:00:00Z');
const owner: Owner = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'rs',
  namespace: 'ns',
  uid: 'u',
  deleting: false,
};

const targetOf = (replicas: number, more: Partial<ReplicaTarget> = {}): ReplicaTarget => ({
  owner,
  generation: 2,
  replicas,
  minReadySeconds: 0,
  selector: { matchLabels: { app: 'a' } },
  template: { metadata: { labels: { app: 'a' } } },
  status: { replicas: 0 },
  countsTerminating: true,
  ...more,
});

interface Shape {
  readonly node?: string;
  readonly phase?: string;
  readonly ready?: string;
  readonly created?: string;
  readonly cost?: string;
  readonly deleting?: boolean;
  readonly owned?: boolean;
  readonly app?: string;
  readonly restarts?: number;
}

const podOf = (name: string, shape: Shape = {}): Pod => ({
  metadata: {
    name,
    namespace: 'ns',
    uid: `uid-${name}`,
    labels: { app: shape.app ?? 'a' },
    creationTimestamp: shape.created ?? '2025-01-01T00:00:00Z',
    ...(shape.cost && { annotations: { 'controller.kubernetes.io/pod-deletion-cost': shape.cost } }),
    ...(shape.deleting && { deletionTimestamp: '2025-01-01T00:59:00Z' }),
    ...(shape.owned !== false && { ownerReferences: [controllerReference(owner)] }),
  },
  spec: { containers: [], ...(shape.node && { nodeName: shape.node }) },
  status: {
    phase: shape.phase ?? 'Running',
    conditions: shape.ready ? [{ type: 'Ready', status: 'True', lastTransitionTime: shape.ready }] : [],
    containerStatuses: [{ name: 'c', ready: true, restartCount: shape.restarts ?? 0, image: '', imageID: '' }],
  },
});

const names = (pods: readonly Pod[]) => pods.map((pod) => pod.metadata?.name);

describe('planReplicas', () => {
  const cases: readonly (readonly [string, ReplicaTarget, readonly Pod[], number, number])[] = [
    ['creates what is missing', targetOf(3), [podOf('a')], 2, 0],
    ['at most 500 at once', targetOf(900), [], 500, 0],
    ['deletes what is too much', targetOf(1), [podOf('a'), podOf('b'), podOf('c')], 0, 2],
    [
      'ended and terminating pods do not count',
      targetOf(1),
      [podOf('a', { phase: 'Failed' }), podOf('b', { deleting: true })],
      1,
      0,
    ],
    ['an orphan counts', targetOf(2), [podOf('a'), podOf('b', { owned: false })], 0, 0],
    ['being deleted it does nothing', targetOf(3, { owner: { ...owner, deleting: true } }), [], 0, 0],
  ];
  it.each(cases)('%s', (_, target, pods, create, remove) => {
    const plan = planReplicas(target, pods, pods, NOW_MS);
    expect([plan.create, plan.delete.length]).toEqual([create, remove]);
  });

  it('adopts matching orphans and releases what no longer matches', () => {
    const pods = [
      podOf('orphan', { owned: false }),
      podOf('strange', { app: 'b' }),
      podOf('other', { owned: false, app: 'b' }),
    ];
    const plan = planReplicas(targetOf(1), pods, pods, NOW_MS);
    expect([names(plan.adopt), names(plan.release)]).toEqual([['orphan'], ['strange']]);
  });

  const ready = '2025-01-01T00:00:00Z';
  const ranking: readonly (readonly [string, readonly [string, Shape][], string])[] = [
    [
      'unassigned first',
      [
        ['a', { node: 'n', ready }],
        ['b', { phase: 'Pending' }],
      ],
      'b',
    ],
    [
      'pending before running',
      [
        ['a', { node: 'n' }],
        ['b', { node: 'n', phase: 'Pending' }],
      ],
      'b',
    ],
    [
      'not ready before ready',
      [
        ['a', { node: 'n', ready }],
        ['b', { node: 'n' }],
      ],
      'b',
    ],
    [
      'cheaper first',
      [
        ['a', { node: 'n', ready, cost: '5' }],
        ['b', { node: 'n', ready, cost: '-1' }],
      ],
      'b',
    ],
    [
      'crowded node first',
      [
        ['a', { node: 'n1', ready }],
        ['b', { node: 'n2', ready }],
        ['c', { node: 'n2', ready, cost: '9' }],
      ],
      'b',
    ],
    [
      'ready for a shorter time first',
      [
        ['a', { node: 'n', ready }],
        ['b', { node: 'n', ready: '2025-01-01T00:59:00Z' }],
      ],
      'b',
    ],
    [
      'more restarts first',
      [
        ['a', { node: 'n', ready }],
        ['b', { node: 'n', ready, restarts: 3 }],
      ],
      'b',
    ],
    [
      'younger first',
      [
        ['a', { node: 'n', ready }],
        ['b', { node: 'n', ready, created: '2025-01-01T00:59:30Z' }],
      ],
      'b',
    ],
  ];
  it.each(ranking)('deletes the %s', (_, shapes, expected) => {
    const pods = shapes.map(([name, shape]) => podOf(name, shape));
    const plan = planReplicas(targetOf(pods.length - 1), pods, pods, NOW_MS);
    expect(names(plan.delete)).toEqual([expected]);
  });

  it('counts availability by minReadySeconds and comes back for it', () => {
    const pods = [
      podOf('a', { ready: '2025-01-01T00:59:50Z' }),
      podOf('b', { ready: '2025-01-01T00:00:00Z' }),
      podOf('t', { deleting: true }),
    ];
    const plan = planReplicas(targetOf(2, { minReadySeconds: 30 }), pods, pods, NOW_MS);
    expect(plan.counts).toEqual({
      replicas: 2,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 1,
      terminatingReplicas: 1,
    });
    expect(plan.requeueAfterMs).toBe(20_000);
  });
});

describe('replicaStatus', () => {
  const counts = {
    replicas: 0,
    fullyLabeledReplicas: 0,
    readyReplicas: 0,
    availableReplicas: 0,
    terminatingReplicas: 0,
  };
  it('is nothing when the stored one says the same', () => {
    const status = { replicas: 0, observedGeneration: 2, terminatingReplicas: 0 };
    expect(replicaStatus(targetOf(0, { status }), counts, undefined, 'now')).toBeUndefined();
  });
  it('tells of a failure and forgets it', () => {
    const failed = replicaStatus(targetOf(1), counts, { reason: 'FailedCreate', message: 'quota' }, 'now');
    expect(failed?.conditions).toEqual([
      { type: 'ReplicaFailure', status: 'True', lastTransitionTime: 'now', reason: 'FailedCreate', message: 'quota' },
    ]);
    const healed = replicaStatus(targetOf(1, { status: failed ?? { replicas: 0 } }), counts, undefined, 'now');
    expect(healed?.conditions).toBeUndefined();
  });
});
