import type { Deployment, ReplicaSet } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import type { Owner } from '../../pods/ownership.ts';
import type { DeploymentAction } from './draft.ts';
import { type DeploymentPlan, planDeployment } from './plan.ts';
import { buildReplicaSet } from './replica-sets.ts';

const NOW = '2025-01-01T00:10:00Z';
const NOW_MS = Date.parse(NOW);
const owner: Owner = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: 'web',
  namespace: 'default',
  uid: 'd-1',
  deleting: false,
};

interface Shape {
  readonly replicas?: number;
  readonly image?: string;
  readonly surge?: number | string;
  readonly unavailable?: number | string;
  readonly strategy?: 'Recreate' | 'RollingUpdate';
  readonly paused?: boolean;
  readonly status?: Deployment['status'];
  readonly revision?: string;
  readonly history?: number;
}

function deploymentOf(shape: Shape = {}): Deployment {
  const { surge = '25%', unavailable = '25%', strategy = 'RollingUpdate' } = shape;
  return {
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: 'd-1',
      generation: 1,
      annotations: { team: 'a', ...(shape.revision && { 'deployment.kubernetes.io/revision': shape.revision }) },
    },
    spec: {
      replicas: shape.replicas ?? 4,
      revisionHistoryLimit: shape.history ?? 10,
      progressDeadlineSeconds: 600,
      ...(shape.paused && { paused: true }),
      selector: { matchLabels: { app: 'web' } },
      strategy:
        strategy === 'Recreate'
          ? { type: strategy }
          : { type: strategy, rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: shape.image ?? 'v1' }] },
      },
    },
    ...(shape.status && { status: shape.status }),
  };
}

interface SetShape {
  readonly image: string;
  readonly size: number;
  readonly available?: number;
  readonly revision: number;
  readonly desired?: number;
  readonly max?: number;
  readonly minute?: number;
}

function setOf(shape: SetShape): ReplicaSet {
  const built = buildReplicaSet(deploymentOf({ image: shape.image }), owner, []);
  const available = shape.available ?? shape.size;
  return {
    ...built,
    metadata: {
      ...built.metadata,
      uid: `rs-${shape.image}`,
      generation: 1,
      creationTimestamp: `2025-01-01T00:0${shape.minute ?? shape.revision}:00Z`,
      annotations: {
        team: 'a',
        'deployment.kubernetes.io/revision': String(shape.revision),
        'deployment.kubernetes.io/desired-replicas': String(shape.desired ?? 4),
        'deployment.kubernetes.io/max-replicas': String(shape.max ?? 5),
      },
    },
    spec: { ...built.spec, selector: built.spec?.selector ?? {}, replicas: shape.size },
    status: {
      replicas: shape.size,
      readyReplicas: available,
      availableReplicas: available,
      observedGeneration: 1,
      terminatingReplicas: 0,
    },
  };
}

function plan(deployment: Deployment, sets: readonly SetShape[], running = 0): DeploymentPlan {
  return planDeployment({
    deployment,
    owner,
    replicaSets: sets.map(setOf),
    podsOf: () => Array.from({ length: running }, () => ({ status: { phase: 'Running' } })),
    nowMs: NOW_MS,
    now: NOW,
  });
}

/** `scale v1 3` and the like. */
function told(actions: readonly DeploymentAction[]): string[] {
  return actions.map((action) => {
    const image = action.replicaSet.spec?.template?.spec?.containers[0]?.image;
    if (action.kind === 'create') return `create ${image} ${action.replicaSet.spec?.replicas}`;
    if (action.kind === 'delete') return `delete ${image}`;
    return action.replicas === undefined ? `annotate ${image}` : `scale ${image} ${action.replicas}`;
  });
}

const conditionOf = (result: DeploymentPlan, type: string) =>
  result.status?.conditions?.find((condition) => condition.type === type);

describe('planDeployment, rolling update', () => {
  const rollout: readonly (readonly [string, Shape, readonly SetShape[], readonly string[]])[] = [
    ['first rollout', {}, [], ['create v1 4']],
    [
      'a new template starts with the surge',
      { image: 'v2' },
      [{ image: 'v1', size: 4, revision: 1 }],
      ['create v2 1', 'scale v1 3'],
    ],
    [
      'surge rounds up, unavailability down',
      { image: 'v2', replicas: 3 },
      [{ image: 'v1', size: 3, revision: 1, desired: 3, max: 4 }],
      ['create v2 1'],
    ],
    [
      'both zero: one may be unavailable',
      { image: 'v2', surge: 0, unavailable: '10%' },
      [{ image: 'v1', size: 4, revision: 1, max: 4 }],
      ['create v2 0', 'scale v1 3'],
    ],
    [
      'nothing moves while new replicas are not available',
      { image: 'v2' },
      [
        { image: 'v1', size: 3, revision: 1 },
        { image: 'v2', size: 2, available: 0, revision: 2 },
      ],
      [],
    ],
    [
      'new ones available: old ones go',
      { image: 'v2' },
      [
        { image: 'v1', size: 3, revision: 1 },
        { image: 'v2', size: 2, revision: 2 },
      ],
      ['scale v1 1'],
    ],
    [
      'room in the total: new ones come',
      { image: 'v2' },
      [
        { image: 'v1', size: 1, revision: 1 },
        { image: 'v2', size: 2, revision: 2 },
      ],
      ['scale v2 4'],
    ],
    [
      'unhealthy old replicas go first',
      { image: 'v3', unavailable: 0 },
      [
        { image: 'v1', size: 4, revision: 1 },
        { image: 'v2', size: 1, available: 0, revision: 2 },
      ],
      ['create v3 0', 'scale v2 0'],
    ],
    [
      'a template of old becomes newest again',
      { image: 'v1' },
      [
        { image: 'v1', size: 0, revision: 1 },
        { image: 'v2', size: 4, revision: 2 },
      ],
      ['annotate v1', 'scale v1 1'],
    ],
  ];
  it.each(rollout)('%s', (_, shape, sets, expected) => {
    expect(told(plan(deploymentOf(shape), sets).actions)).toEqual(expected);
  });

  it('keeps the revisions a ReplicaSet has had', () => {
    const action = plan(deploymentOf({ image: 'v1', revision: '2' }), [
      { image: 'v1', size: 0, revision: 1 },
      { image: 'v2', size: 4, revision: 2 },
    ]).actions[0];
    expect(action?.kind === 'update' && action.annotations).toEqual({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
  });

  it('deletes the oldest revisions beyond the limit once complete', () => {
    const status = { observedGeneration: 1, replicas: 4, updatedReplicas: 4, availableReplicas: 4, readyReplicas: 4 };
    const result = plan(deploymentOf({ image: 'v4', history: 1, status }), [
      { image: 'v1', size: 0, revision: 1 },
      { image: 'v2', size: 0, revision: 2 },
      { image: 'v3', size: 0, revision: 3 },
      { image: 'v4', size: 4, revision: 4 },
    ]);
    expect(told(result.actions)).toEqual(['delete v1', 'delete v2']);
  });
});

describe('planDeployment, scaling', () => {
  const scaling: readonly (readonly [string, Shape, readonly SetShape[], readonly string[]])[] = [
    ['up', { replicas: 5 }, [{ image: 'v1', size: 4, revision: 1 }], ['scale v1 5']],
    ['down to zero', { replicas: 0 }, [{ image: 'v1', size: 4, revision: 1 }], ['scale v1 0']],
    [
      'in the middle of a rollout in proportion, the rest to the largest',
      { image: 'v2', replicas: 10, surge: 2 },
      [
        { image: 'v1', size: 3, revision: 1, max: 6 },
        { image: 'v2', size: 3, revision: 2, max: 6, available: 0 },
      ],
      ['scale v2 6', 'scale v1 6'],
    ],
    [
      'a saturated newest set empties the others',
      { image: 'v2', paused: true },
      [
        { image: 'v1', size: 1, revision: 1 },
        { image: 'v2', size: 4, revision: 2 },
      ],
      ['scale v1 0'],
    ],
    ['paused: a new template does nothing', { image: 'v2', paused: true }, [{ image: 'v1', size: 4, revision: 1 }], []],
  ];
  it.each(scaling)('%s', (_, shape, sets, expected) => {
    expect(told(plan(deploymentOf(shape), sets).actions)).toEqual(expected);
  });
});

describe('planDeployment, recreate', () => {
  const shape: Shape = { image: 'v2', strategy: 'Recreate' };
  it('empties the old ReplicaSets first', () => {
    const result = plan(deploymentOf(shape), [{ image: 'v1', size: 4, revision: 1, max: 4 }]);
    expect(told(result.actions)).toEqual(['scale v1 0']);
  });
  it('waits for old pods that still run', () => {
    const result = plan(deploymentOf(shape), [{ image: 'v1', size: 0, revision: 1, max: 4 }], 1);
    expect(told(result.actions)).toEqual([]);
  });
  it('then starts the new ones at full size', () => {
    const result = plan(deploymentOf(shape), [{ image: 'v1', size: 0, revision: 1, max: 4 }]);
    expect(told(result.actions)).toEqual(['create v2 4']);
  });
});

describe('planDeployment, conditions', () => {
  const progressing = (reason: string, at: string) => [
    { type: 'Progressing', status: 'True', reason, lastUpdateTime: at, lastTransitionTime: at },
  ];

  it('reports a new ReplicaSet, and the revision', () => {
    const result = plan(deploymentOf(), []);
    expect(conditionOf(result, 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetCreated' });
    expect(conditionOf(result, 'Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' });
    expect(result.revision).toBe('1');
  });

  it('reports progress, which restarts the deadline', () => {
    const status = { updatedReplicas: 4, replicas: 4, conditions: progressing('NewReplicaSetCreated', NOW) };
    const result = plan(deploymentOf({ status, revision: '1' }), [{ image: 'v1', size: 4, available: 3, revision: 1 }]);
    expect(conditionOf(result, 'Progressing')).toMatchObject({
      reason: 'ReplicaSetUpdated',
      message: expect.stringMatching(/^ReplicaSet "web-\w+" is progressing\.$/),
      lastUpdateTime: NOW,
    });
    expect(result.requeueAfterMs).toBe(601_000);
  });

  it('reports completion', () => {
    const status = { conditions: progressing('ReplicaSetUpdated', NOW) };
    const result = plan(deploymentOf({ status, revision: '1' }), [{ image: 'v1', size: 4, revision: 1 }]);
    expect(conditionOf(result, 'Progressing')).toMatchObject({ reason: 'NewReplicaSetAvailable', status: 'True' });
    expect(conditionOf(result, 'Available')).toMatchObject({ reason: 'MinimumReplicasAvailable', status: 'True' });
    expect(result.status).toMatchObject({ observedGeneration: 1, replicas: 4, terminatingReplicas: 0 });
    expect(result.requeueAfterMs).toBeUndefined();
  });

  it('gives up after the progress deadline', () => {
    const status = {
      updatedReplicas: 4,
      replicas: 4,
      readyReplicas: 3,
      availableReplicas: 3,
      conditions: progressing('ReplicaSetUpdated', '2024-12-31T23:59:59Z'),
    };
    const result = plan(deploymentOf({ status, revision: '1' }), [{ image: 'v1', size: 4, available: 3, revision: 1 }]);
    expect(conditionOf(result, 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: expect.stringMatching(/has timed out progressing\.$/),
    });
  });

  it('marks a pause and its end', () => {
    const paused = plan(deploymentOf({ paused: true }), [{ image: 'v1', size: 4, revision: 1 }]);
    expect(conditionOf(paused, 'Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' });
    const status = { conditions: paused.status?.conditions ?? [] };
    const on = plan(deploymentOf({ status, image: 'v2' }), [{ image: 'v1', size: 4, revision: 1 }]);
    expect(conditionOf(on, 'Progressing')).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' });
  });

  it('writes nothing when nothing changed', () => {
    const first = plan(deploymentOf({ revision: '1' }), [{ image: 'v1', size: 4, revision: 1 }]);
    expect(first.status).toBeDefined();
    const again = plan(deploymentOf({ revision: '1', status: first.status }), [{ image: 'v1', size: 4, revision: 1 }]);
    expect(again).toMatchObject({ actions: [], status: undefined, revision: undefined });
  });

  it('refuses an empty selector', () => {
    const deployment = deploymentOf();
    const result = plan({ ...deployment, spec: { ...deployment.spec, selector: {}, template: {} } }, []);
    expect(result.events.map((event) => event.reason)).toEqual(['SelectingAll']);
    expect(result.actions).toEqual([]);
  });
});
