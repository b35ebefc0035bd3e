import type { ControllerRevision, DaemonSet, DaemonSetSpec, Node, Pod, Taint } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import type { Owner } from '../../pods/ownership.ts';
import { daemonPod, REVISION_LABEL } from './new-pods.ts';
import { type DaemonSetPlan, planDaemonSet } from './plan.ts';

const owner: Owner = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  name: 'ds',
  namespace: 'ns',
  uid: 'u',
  deleting: false,
};
const setOf = (image = 'v1', spec: Partial<DaemonSetSpec> = {}, pod: object = {}): DaemonSet => ({
  metadata: { name: 'ds', namespace: 'ns', generation: 1 },
  spec: {
    selector: { matchLabels: { app: 'ds' } },
    template: { metadata: { labels: { app: 'ds' } }, spec: { containers: [{ name: 'c', image }], ...pod } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    ...spec,
  },
});
const nodeOf = (name: string, taints: readonly Taint[] = [], labels: Record<string, string> = {}): Node => ({
  metadata: { name, labels },
  spec: { taints },
});
const three = ['a', 'b', 'c'].map((name) => nodeOf(name));
const plan = (
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[] = [],
  revisions: readonly ControllerRevision[] = [],
): DaemonSetPlan => planDaemonSet({ set, owner, nodes, pods, revisions, nowMs: 0 });
const v1 = plan(setOf(), []).revision.of;
const v2 = { ...plan(setOf('v2'), []).revision.of, revision: 2 };

interface Shape {
  readonly ready?: boolean;
  readonly phase?: string;
  readonly revision?: ControllerRevision;
  readonly deleting?: boolean;
  readonly created?: string;
  readonly bound?: boolean;
}
const podOf = (node: string, { ready = true, phase = 'Running', revision = v1, ...shape }: Shape = {}): Pod => {
  const pod = daemonPod(setOf(), owner, revision.metadata?.labels?.[REVISION_LABEL] ?? '', node);
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name: `on-${node}${shape.created ?? ''}`,
      creationTimestamp: `2025-01-01T00:00:0${shape.created ?? 0}Z`,
      ...(shape.deleting && { deletionTimestamp: 'x' }),
    },
    spec: { ...(pod.spec ?? { containers: [] }), ...(shape.bound !== false && { nodeName: node }) },
    status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
};
const told = (result: DaemonSetPlan) => [
  ...result.create.map(
    ({ spec }) =>
      `+${spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0]}`,
  ),
  ...result.delete.map(({ pod }) => `-${pod.metadata?.name}`),
];

describe('planDaemonSet, placement', () => {
  const noSchedule = [{ key: 'x', effect: 'NoSchedule' }];
  const noExecute = [{ key: 'x', effect: 'NoExecute' }];
  const cases: readonly (readonly [string, DaemonSet, readonly Node[], readonly Pod[], readonly string[]])[] = [
    ['one on each node', setOf(), three, [podOf('b')], ['+a', '+c']],
    ['not where a taint forbids it', setOf(), [nodeOf('a', noSchedule)], [], []],
    ['but it may stay there', setOf(), [nodeOf('a', noSchedule)], [podOf('a')], []],
    ['unless the taint drives it out', setOf(), [nodeOf('a', noExecute)], [podOf('a')], ['-on-a']],
    [
      'on a node that is not ready',
      setOf(),
      [nodeOf('a', [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }])],
      [],
      ['+a'],
    ],
    [
      'on selected nodes',
      setOf('v1', {}, { nodeSelector: { disk: 'ssd' } }),
      [nodeOf('a', [], { disk: 'ssd' }), nodeOf('b')],
      [podOf('b')],
      ['+a', '-on-b'],
    ],
    ['replaces failed pods', setOf(), [nodeOf('a')], [podOf('a', { phase: 'Failed' })], ['-on-a']],
    [
      'keeps the oldest of two',
      setOf(),
      [nodeOf('a')],
      [podOf('a', { created: '2' }), podOf('a', { created: '1' })],
      ['-on-a2'],
    ],
    ['waits for an ending pod', setOf(), [nodeOf('a')], [podOf('a', { deleting: true })], []],
    [
      'drops pods meant for a node that is gone',
      setOf(),
      [],
      [podOf('z', { bound: false, phase: 'Pending' })],
      ['-on-z'],
    ],
  ];
  it.each(cases)('%s', (_, set, nodes, pods, expected) => {
    expect(told(plan(set, nodes, pods, [v1]))).toEqual(expected);
  });
});

describe('planDaemonSet, update', () => {
  const rolling = (maxUnavailable: number | string, maxSurge: number | string = 0) =>
    setOf('v2', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } } });
  const all = [podOf('a'), podOf('b'), podOf('c')];
  const fresh = (node: string, ready = true) => podOf(node, { revision: v2, ready, created: '9' });
  const cases: readonly (readonly [string, DaemonSet, readonly Pod[], readonly string[]])[] = [
    ['one at a time', rolling(1), all, ['-on-a']],
    ['half at a time, rounded up', rolling('50%'), all, ['-on-a', '-on-b']],
    ['not while one is missing', rolling(1), [fresh('a', false), podOf('b'), podOf('c')], []],
    ['broken old ones at once', rolling(1), [fresh('a', false), podOf('b', { ready: false }), podOf('c')], ['-on-b']],
    ['only when deleted by hand', setOf('v2', { updateStrategy: { type: 'OnDelete' } }), all, []],
    ['with surge: successors first', rolling(0, 1), all, ['+a']],
    ['with surge: waits for the successor', rolling(0, 1), [...all, fresh('a', false)], []],
    ['with surge: then the old one goes', rolling(0, 1), [...all, fresh('a')], ['-on-a']],
  ];
  it.each(cases)('%s', (_, set, pods, expected) => {
    expect(told(plan(set, three, pods, [v1, v2]))).toEqual(expected);
  });
});

it('counts', () => {
  const nodes = [...three, nodeOf('t', [{ key: 'x', effect: 'NoSchedule' }])];
  const result = plan(
    setOf('v2'),
    nodes,
    [podOf('a'), podOf('b', { revision: v2, ready: false }), podOf('t')],
    [v1, v2],
  );
  expect(result.status).toEqual({
    observedGeneration: 1,
    desiredNumberScheduled: 3,
    currentNumberScheduled: 2,
    numberMisscheduled: 1,
    numberReady: 1,
    numberAvailable: 1,
    numberUnavailable: 2,
    updatedNumberScheduled: 1,
  });
});
