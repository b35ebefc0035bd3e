import type { Node, NodeCondition, Taint } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { type Health, observe } from './health.ts';
import { type NodePlan, planNode, withEviction } from './plan.ts';
import { assessZones, takeToken } from './zones.ts';

const NOW = '2025-01-01T01:00:00Z';
const nodeOf = (
  ready: string | undefined,
  more: { taints?: readonly Taint[]; unschedulable?: boolean; zone?: string } = {},
): Node => ({
  metadata: {
    name: 'n',
    creationTimestamp: '2025-01-01T00:59:00Z',
    labels: more.zone ? { 'topology.kubernetes.io/zone': more.zone } : {},
  },
  spec: { ...(more.taints && { taints: more.taints }), ...(more.unschedulable && { unschedulable: true }) },
  status: {
    conditions:
      ready === undefined ? [] : [{ type: 'Ready', status: ready, lastHeartbeatTime: '2025-01-01T00:58:00Z' }],
  },
});
const plan = (node: Node, silentMs: number, allDown = false): NodePlan =>
  planNode({
    node,
    health: { probedMs: 100_000 - silentMs, heartbeat: undefined, leaseRenewed: undefined },
    monotonicMs: 100_000,
    now: NOW,
    gracePeriodMs: 50_000,
    startupGracePeriodMs: 60_000,
    allDown,
  });
const brief = (taints: readonly Taint[]) => taints.map(({ key, effect }) => `${key.split('/')[1]}:${effect}`);
const statuses = (conditions: readonly NodeCondition[]) =>
  conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

describe('planNode', () => {
  it('leaves a node alone within its grace period', () => {
    expect(plan(nodeOf('True'), 50_000)).toMatchObject({
      conditions: [],
      taints: [],
      eviction: undefined,
      lost: false,
    });
  });
  it('gives a silent node up', () => {
    const result = plan(nodeOf('True'), 50_001);
    expect(statuses(result.conditions)).toEqual([
      'Ready=Unknown NodeStatusUnknown',
      'MemoryPressure=Unknown NodeStatusNeverUpdated',
      'DiskPressure=Unknown NodeStatusNeverUpdated',
      'PIDPressure=Unknown NodeStatusNeverUpdated',
    ]);
    expect(result.conditions[0]).toMatchObject({
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: NOW,
    });
    expect(brief(result.taints)).toEqual(['unreachable:NoSchedule']);
    expect(result.eviction).toEqual({ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: NOW });
    expect([result.lost, result.podsNotReady]).toEqual([true, true]);
  });
  it('gives a node that never reported the longer startup period', () => {
    expect(plan(nodeOf(undefined), 55_000).conditions).toEqual([]);
    expect(statuses(plan(nodeOf(undefined), 61_000).conditions)[0]).toBe('Ready=Unknown NodeStatusNeverUpdated');
  });
  it('says so once', () => {
    const first = plan(nodeOf('True'), 60_000);
    const node = {
      ...nodeOf('True'),
      spec: { taints: withEviction(first.taints, first.eviction ?? { key: '', effect: '' }) },
      status: { conditions: first.conditions },
    };
    expect(plan(node, 90_000)).toMatchObject({ conditions: [], eviction: undefined, lost: false, podsNotReady: true });
    expect(plan(node, 90_000).taints).toEqual(node.spec.taints);
  });
  it('taints by what the kubelet reports', () => {
    const node = nodeOf('False', { unschedulable: true });
    expect(brief(plan(node, 0).taints)).toEqual(['unschedulable:NoSchedule', 'not-ready:NoSchedule']);
    expect(plan(node, 0).eviction?.key).toBe('node.kubernetes.io/not-ready');
  });
  it('takes all of it back when the node is ready, and nothing of others', () => {
    const taints = [
      { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
      { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' },
      { key: 'mine', effect: 'NoExecute' },
    ];
    expect(
      brief(
        plan(
          nodeOf('True', {
            taints: [...taints].map((taint) => ({ ...taint, key: taint.key === 'mine' ? 'a/mine' : taint.key })),
          }),
          0,
        ).taints,
      ),
    ).toEqual(['mine:NoExecute']);
  });
  it('evicts nobody while all zones are down', () => {
    const taints = [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }];
    const result = plan(nodeOf('Unknown', { taints }), 60_000, true);
    expect([result.eviction, brief(result.taints)]).toEqual([undefined, ['unreachable:NoSchedule']]);
  });
});

describe('observe', () => {
  const seen = (heartbeat: string, renewTime: string, monotonicMs: number) => ({
    node: {
      metadata: { name: 'n' },
      status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: heartbeat }] },
    },
    lease: { spec: { renewTime } },
    nowMs: 0,
    monotonicMs,
  });
  const first: Health = observe(undefined, seen('h1', 'l1', 10));
  it.each([
    ['nothing new', 'h1', 'l1', 10],
    ['a renewed lease', 'h1', 'l2', 20],
    ['a new heartbeat', 'h2', 'l1', 20],
  ])('%s', (_, heartbeat, renewed, probedMs) => {
    expect(observe(first, seen(heartbeat, renewed, 20)).probedMs).toBe(probedMs);
  });
});

describe('zones', () => {
  const limits = {
    nodeEvictionRate: 0.1,
    secondaryNodeEvictionRate: 0.01,
    unhealthyZoneThreshold: 0.55,
    largeClusterSizeThreshold: 50,
  };
  const zone = (ready: number, unready: number, name = 'a') => [
    ...Array.from({ length: ready }, () => nodeOf('True', { zone: name })),
    ...Array.from({ length: unready }, () => nodeOf('Unknown', { zone: name })),
  ];
  const cases: readonly (readonly [string, readonly Node[], string, number, boolean])[] = [
    ['one of three', zone(2, 1), 'normal', 0.1, false],
    ['two of three are too few to judge', zone(1, 2), 'normal', 0.1, false],
    ['six of ten, small', zone(4, 6), 'partial', 0, false],
    ['forty of sixty, large', zone(20, 40), 'partial', 0.01, false],
    ['all', zone(0, 3), 'full', 0.1, true],
  ];
  it.each(cases)('%s', (_, nodes, state, rate, allDown) => {
    const zones = assessZones(nodes, limits);
    expect([zones.states.get(':a'), zones.rates.get(':a'), zones.allDown]).toEqual([state, rate, allDown]);
  });
  it('one zone of two down is not all', () => {
    expect(assessZones([...zone(0, 3), ...zone(1, 0, 'b')], limits).allDown).toBe(false);
  });
  it('lets one node pass, the next after ten seconds', () => {
    const first = takeToken(undefined, 0.1, 0);
    const second = takeToken(first.next, 0.1, 5_000);
    const third = takeToken(second.next, 0.1, 10_000);
    expect([first.taken, second.taken, third.taken]).toEqual([true, false, true]);
  });
});
