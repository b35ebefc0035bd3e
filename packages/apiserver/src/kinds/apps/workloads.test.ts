import type {
  ControllerRevision,
  DaemonSet,
  DaemonSetSpec,
  Deployment,
  DeploymentSpec,
  PodTemplateSpec,
  ReplicaSet,
  StatefulSet,
  StatefulSetSpec,
} from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { created, createRefusals, row, subresourceRefusals, testContext, updateRefusals } from '../validation-cases.ts';
import { controllerRevisionStrategy, daemonSetStrategy } from './daemon-set.ts';
import { deploymentStrategy, replicaSetStrategy } from './deployment.ts';
import { statefulSetStrategy } from './stateful-set.ts';

const metadata = { name: 'web', namespace: 'default' };
const selector = { matchLabels: { app: 'web' } };
const template: PodTemplateSpec = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'i' }] },
};
const otherSelector = { matchLabels: { app: 'other' } };
const otherTemplate: PodTemplateSpec = { ...template, metadata: { labels: { app: 'other' } } };
const mismatch =
  'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`';
const immutableSelector = 'spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable';

function withPod(change: Partial<PodTemplateSpec['spec'] & object>): PodTemplateSpec {
  return { ...template, spec: { containers: [{ name: 'c', image: 'i' }], ...change } };
}

function deployment(change: Partial<DeploymentSpec> = {}): Deployment {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { selector, template, ...change } };
}

describe('a Deployment', () => {
  const cases: readonly (readonly [string, Partial<DeploymentSpec>, readonly string[]])[] = [
    ['a template and a selector', {}, []],
    ['another selector', { selector: otherSelector }, [mismatch]],
    [
      'an empty selector',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    ['less than nothing', { replicas: -1 }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
    [
      'pods that end',
      { template: withPod({ restartPolicy: 'Never' }) },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'pods with a deadline',
      { template: withPod({ activeDeadlineSeconds: 5 }) },
      ['spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported'],
    ],
    [
      'no way to go on',
      { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
    ],
    [
      'more than everything',
      { strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '120%' } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "120%": must not be greater than 100%'],
    ],
    [
      'steps for what is done at once',
      { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } },
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      'an unknown strategy',
      { strategy: { type: 'Hope' } },
      ['spec.strategy: Unsupported value: {"type":"Hope"}: supported values: "Recreate", "RollingUpdate"'],
    ],
    [
      'a deadline before pods can be ready',
      { minReadySeconds: 600 },
      ['spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(deploymentStrategy, deployment(change))).toEqual(refusals);
  });

  const old = created(deploymentStrategy, deployment());

  it('keeps its selector', () => {
    expect(
      updateRefusals(deploymentStrategy, old, deployment({ selector: otherSelector, template: otherTemplate })),
    ).toEqual([immutableSelector]);
  });

  it('is not relabelled through its status, whose counts agree', () => {
    const next = {
      ...old,
      metadata: { ...old.metadata, labels: { a: 'b' } },
      status: { replicas: 1, readyReplicas: 2 },
    };
    const ready = deploymentStrategy.subresources?.['status']?.prepareForUpdate(next, old, testContext);
    expect(ready?.metadata?.labels).toBeUndefined();
    expect(subresourceRefusals(deploymentStrategy, 'status', old, next)).toEqual([
      'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
    ]);
  });

  it('is shown with its pods', () => {
    const status = { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 };
    expect(row(deploymentStrategy, { ...deployment({ replicas: 3 }), status })).toMatchObject({
      Ready: '1/3',
      'Up-to-date': 2,
      Available: 1,
      Containers: 'c',
      Images: 'i',
      Selector: 'app=web',
    });
  });
});

describe('a ReplicaSet', () => {
  const set = (change: ReplicaSet['spec']): ReplicaSet => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata,
    ...(change === undefined ? {} : { spec: change }),
  });
  const good = set({ replicas: 2, selector, template });

  it('needs a selector that finds its pods, and keeps it', () => {
    expect(createRefusals(replicaSetStrategy, good)).toEqual([]);
    expect(createRefusals(replicaSetStrategy, set({ selector: otherSelector, template }))).toEqual([mismatch]);
    const old = created(replicaSetStrategy, good);
    expect(updateRefusals(replicaSetStrategy, old, set({ selector: otherSelector, template: otherTemplate }))).toEqual([
      immutableSelector,
    ]);
  });

  it('counts its pods', () => {
    const object = { ...good, status: { replicas: 2, readyReplicas: 1 } };
    expect(row(replicaSetStrategy, object)).toMatchObject({ Desired: 2, Current: 2, Ready: 1, Selector: 'app=web' });
    expect(replicaSetStrategy.fieldSelectors?.['status.replicas']?.(object)).toBe('2');
  });
});

describe('a StatefulSet', () => {
  const set = (change: Partial<StatefulSetSpec> = {}): StatefulSet => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata,
    spec: { serviceName: 'web', selector, template, ...change },
  });
  const cases: readonly (readonly [string, Partial<StatefulSetSpec>, readonly string[]])[] = [
    ['a template and a selector', {}, []],
    ['another selector', { selector: otherSelector }, [mismatch]],
    [
      'an unknown order',
      { podManagementPolicy: 'Random' },
      ["spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'"],
    ],
    [
      'steps for what the user does',
      { updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } } },
      [
        'spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy \'RollingUpdate\'',
      ],
    ],
    [
      'a partition below zero',
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: -1 } } },
      ['spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0'],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(statefulSetStrategy, set(change))).toEqual(refusals);
  });

  it('changes only what can be changed', () => {
    const old = created(statefulSetStrategy, set());
    expect(
      updateRefusals(statefulSetStrategy, old, set({ replicas: 3, template: withPod({ hostname: 'h' }) })),
    ).toEqual([]);
    expect(updateRefusals(statefulSetStrategy, old, set({ serviceName: 'other' }))).toEqual([
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ]);
  });

  it('is shown with its pods', () => {
    expect(
      row(statefulSetStrategy, { ...set({ replicas: 2 }), status: { replicas: 2, readyReplicas: 1 } }),
    ).toMatchObject({
      Ready: '1/2',
      Containers: 'c',
    });
  });
});

describe('a DaemonSet', () => {
  const set = (change: Partial<DaemonSetSpec> = {}): DaemonSet => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata,
    spec: { selector, template, ...change },
  });
  const rolling = (
    rollingUpdate: NonNullable<DaemonSetSpec['updateStrategy']>['rollingUpdate'],
  ): Partial<DaemonSetSpec> => ({
    updateStrategy: { type: 'RollingUpdate', ...(rollingUpdate === undefined ? {} : { rollingUpdate }) },
  });
  const at = 'spec.updateStrategy.rollingUpdate';
  const cases: readonly (readonly [string, Partial<DaemonSetSpec>, readonly string[]])[] = [
    ['a template and a selector', {}, []],
    ['another selector', { selector: otherSelector }, [mismatch]],
    [
      'both a surge and a gap',
      rolling({ maxSurge: 1, maxUnavailable: 1 }),
      [`${at}.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero`],
    ],
    [
      'no way to go on',
      rolling({ maxSurge: 0, maxUnavailable: 0 }),
      [`${at}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0`],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(daemonSetStrategy, set(change))).toEqual(refusals);
  });

  it('counts the changes of its template', () => {
    const generationOf = (object: DaemonSet): string | undefined =>
      object.metadata?.annotations?.['deprecated.daemonset.template.generation'];
    const old = created(daemonSetStrategy, set());
    expect(generationOf(old)).toBe('1');
    const same = daemonSetStrategy.prepareForUpdate(
      { ...old, spec: { ...set().spec, ...old.spec } as DaemonSetSpec },
      old,
      testContext,
    );
    expect(generationOf(same)).toBe('1');
    const next = daemonSetStrategy.prepareForUpdate(set({ template: withPod({ hostname: 'h' }) }), old, testContext);
    expect(generationOf(next)).toBe('2');
  });

  it('keeps its selector', () => {
    const old = created(daemonSetStrategy, set());
    expect(updateRefusals(daemonSetStrategy, old, set({ selector: otherSelector, template: otherTemplate }))).toEqual([
      immutableSelector,
    ]);
  });

  it('is shown with its nodes', () => {
    const status = { currentNumberScheduled: 2, desiredNumberScheduled: 3, numberMisscheduled: 0, numberReady: 1 };
    const object = set({ template: withPod({ nodeSelector: { disk: 'ssd' } }) });
    expect(row(daemonSetStrategy, { ...object, status })).toMatchObject({
      Desired: 3,
      Current: 2,
      Ready: 1,
      'Up-to-date': 0,
      Available: 0,
      'Node Selector': 'disk=ssd',
    });
  });
});

describe('a ControllerRevision', () => {
  const revision: ControllerRevision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      ...metadata,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'u', controller: true }],
    },
    data: { a: 1 },
    revision: 2,
  };

  it('keeps its data and counts on', () => {
    expect(createRefusals(controllerRevisionStrategy, revision)).toEqual([]);
    expect(createRefusals(controllerRevisionStrategy, { ...revision, revision: -1 })).toEqual([
      'revision: Invalid value: -1: must be greater than or equal to 0',
    ]);
    expect(updateRefusals(controllerRevisionStrategy, revision, { ...revision, data: { a: 2 } })).toEqual([
      'data: Invalid value: {"a":2}: field is immutable',
    ]);
  });

  it('names its owner', () => {
    expect(row(controllerRevisionStrategy, revision)).toMatchObject({ Controller: 'daemonset.apps/d', Revision: 2 });
  });
});
