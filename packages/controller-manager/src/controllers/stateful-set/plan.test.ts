import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet, StatefulSetSpec } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import type { Owner } from '../../pods/ownership.ts';
import { buildPod } from './identity.ts';
import { planStatefulSet, type StatefulSetPlan } from './plan.ts';

const owner: Owner = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  name: 'db',
  namespace: 'ns',
  uid: 'u',
  deleting: false,
};
const templateOf = (image: string) => ({
  metadata: { labels: { app: 'db' } },
  spec: { containers: [{ name: 'c', image }] },
});

function setOf(spec: Partial<StatefulSetSpec> & { image?: string } = {}, status?: StatefulSet['status']): StatefulSet {
  const { image = 'v1', ...rest } = spec;
  return {
    metadata: { name: 'db', namespace: 'ns', uid: 'u', generation: 1 },
    spec: {
      replicas: 3,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: templateOf(image),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      ...rest,
    },
    ...(status !== undefined && { status }),
  };
}

const plan = (
  set: StatefulSet,
  pods: readonly Pod[] = [],
  revisions: readonly ControllerRevision[] = [],
  claims: readonly PersistentVolumeClaim[] = [],
): StatefulSetPlan =>
  planStatefulSet({
    set,
    owner,
    pods,
    revisions,
    claimOf: (name) => claims.find(({ metadata }) => metadata?.name === name),
    nowMs: 0,
  });

const v1 = plan(setOf()).revision.of;
const v2 = { ...plan(setOf({ image: 'v2' })).revision.of, revision: 2 };

type State = 'ready' | 'starting' | 'ending' | 'Failed';
const podOf = (ordinal: number, state: State = 'ready', revision = v1): Pod => {
  const pod = buildPod(setOf(), owner, templateOf('v1'), revision.metadata?.name ?? '', ordinal);
  return {
    ...pod,
    metadata: { ...pod.metadata, uid: `u${ordinal}`, ...(state === 'ending' && { deletionTimestamp: 'x' }) },
    status: {
      phase: state === 'Failed' ? 'Failed' : 'Running',
      conditions: [{ type: 'Ready', status: state === 'starting' ? 'False' : 'True' }],
    },
  };
};
const told = (result: StatefulSetPlan) => [
  ...result.create.map(({ metadata }) => `+${metadata?.name}`),
  ...result.delete.map(({ pod }) => `-${pod.metadata?.name}`),
];
const parallel = { podManagementPolicy: 'Parallel' };

describe('planStatefulSet, scaling', () => {
  const cases: readonly (readonly [string, Partial<StatefulSetSpec>, readonly Pod[], readonly string[]])[] = [
    ['begins with the first', {}, [], ['+db-0']],
    ['waits for it', {}, [podOf(0, 'starting')], []],
    ['then takes the next', {}, [podOf(0)], ['+db-1']],
    ['in parallel: all', parallel, [podOf(1, 'starting')], ['+db-0', '+db-2']],
    ['fills a hole before it goes on', {}, [podOf(0), podOf(2)], ['+db-1']],
    ['waits while a pod is ending', {}, [podOf(0, 'ending'), podOf(1), podOf(2)], []],
    ['replaces an ended pod', {}, [podOf(0, 'Failed'), podOf(1), podOf(2)], ['-db-0']],
    ['goes down from the top, one by one', { replicas: 1 }, [podOf(0), podOf(1), podOf(2)], ['-db-2']],
    ['not while another is unwell', { replicas: 1 }, [podOf(0), podOf(1, 'starting'), podOf(2, 'ending')], []],
    ['unless the unwell one itself goes', { replicas: 1 }, [podOf(0), podOf(1, 'starting')], ['-db-1']],
    ['in parallel: all down at once', { ...parallel, replicas: 1 }, [podOf(0), podOf(1), podOf(2)], ['-db-2', '-db-1']],
    ['other first ordinal', { ordinals: { start: 5 } }, [], ['+db-5']],
  ];
  it.each(cases)('%s', (_, spec, pods, expected) => {
    expect(told(plan(setOf(spec), pods, [v1]))).toEqual(expected);
  });

  it('gives pods their identity', () => {
    expect(plan(setOf()).create[0]).toMatchObject({
      metadata: {
        name: 'db-0',
        labels: {
          app: 'db',
          'statefulset.kubernetes.io/pod-name': 'db-0',
          'apps.kubernetes.io/pod-index': '0',
          'controller-revision-hash': v1.metadata?.name,
        },
      },
      spec: { hostname: 'db-0', subdomain: 'db' },
    });
  });
});

describe('planStatefulSet, update', () => {
  const all = [podOf(0), podOf(1), podOf(2)];
  const status = { replicas: 3, currentRevision: v1.metadata?.name ?? '' };
  const cases: readonly (readonly [string, Partial<StatefulSetSpec>, readonly Pod[], readonly string[]])[] = [
    ['from the top', {}, all, ['-db-2']],
    ['not while one is unwell', {}, [podOf(0), podOf(1), podOf(2, 'starting', v2)], []],
    ['the next one', {}, [podOf(0), podOf(1), podOf(2, 'ready', v2)], ['-db-1']],
    [
      'down to the partition',
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
      [podOf(0), podOf(1), podOf(2, 'ready', v2)],
      [],
    ],
    [
      'two at once',
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } } },
      all,
      ['-db-2', '-db-1'],
    ],
    ['only when somebody deletes', { updateStrategy: { type: 'OnDelete' } }, all, []],
  ];
  it.each(cases)('%s', (_, spec, pods, expected) => {
    expect(told(plan(setOf({ image: 'v2', ...spec }, status), pods, [v1, v2]))).toEqual(expected);
  });

  it('pods below the partition come back old', () => {
    const set = setOf(
      { image: 'v2', updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
      status,
    );
    expect(plan(set, [podOf(1), podOf(2, 'ready', v2)], [v1, v2]).create[0]?.spec?.containers[0]?.image).toBe('v1');
  });

  it('keeps revisions: new, again newest, and not too many', () => {
    expect(plan(setOf({ image: 'v2' }, status), all, [v1]).revision).toMatchObject({
      kind: 'create',
      of: { revision: 2 },
    });
    expect(plan(setOf({}, status), all, [v1, v2]).revision).toMatchObject({ kind: 'renumber', number: 3 });
    const old = [3, 4, 5].map((revision) => ({
      ...v2,
      metadata: { name: `r${revision}` },
      data: { n: revision },
      revision,
    }));
    const result = plan(setOf({ image: 'v2', revisionHistoryLimit: 1 }, status), all, [
      v1,
      ...old,
      { ...v2, revision: 9 },
    ]);
    expect(result.deleteRevisions.map(({ metadata }) => metadata?.name)).toEqual(['r3', 'r4']);
  });

  it('counts, and is complete when all are updated and ready', () => {
    const half = plan(setOf({ image: 'v2' }, status), [podOf(0), podOf(1), podOf(2, 'starting', v2)], [v1, v2]);
    expect(half.status).toMatchObject({
      replicas: 3,
      readyReplicas: 2,
      currentReplicas: 2,
      updatedReplicas: 1,
      currentRevision: v1.metadata?.name,
    });
    const done = plan(
      setOf({ image: 'v2' }, status),
      [0, 1, 2].map((ordinal) => podOf(ordinal, 'ready', v2)),
      [v1, v2],
    );
    expect(done.status).toMatchObject({ currentReplicas: 3, updatedReplicas: 3, currentRevision: v2.metadata?.name });
  });
});

describe('planStatefulSet, claims', () => {
  const claims = { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }] };
  const claimOf = (ordinal: number): PersistentVolumeClaim => ({
    metadata: { name: `data-db-${ordinal}`, namespace: 'ns' },
  });
  it('makes the claim before its pod, once', () => {
    const result = plan(setOf(claims));
    expect(result.createClaims[0]?.metadata).toMatchObject({ name: 'data-db-0', labels: { app: 'db' } });
    expect(result.create[0]?.spec?.volumes).toEqual([
      { name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } },
    ]);
    expect(plan(setOf(claims), [], [v1], [claimOf(0)]).createClaims).toEqual([]);
  });
  it('hands claims to whom they go with', () => {
    const policy = { whenDeleted: 'Delete', whenScaled: 'Delete' };
    const set = setOf({ ...claims, replicas: 1, persistentVolumeClaimRetentionPolicy: policy });
    const owners = plan(set, [podOf(0), podOf(1)], [v1], [claimOf(0), claimOf(1)]).claimOwners;
    expect(owners.map(({ ownerReferences }) => ownerReferences.map(({ kind, name }) => `${kind} ${name}`))).toEqual([
      ['StatefulSet db'],
      ['Pod db-1'],
    ]);
    expect(plan(setOf(claims), [podOf(0)], [v1], [claimOf(0)]).claimOwners).toEqual([]);
  });
});
