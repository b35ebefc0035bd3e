import { labelFilterOf, type Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { defaultProfile } from '../plugins/default-profile.ts';
import { node, pod, viewOf } from '../testing/cluster-builder.ts';
import { SchedulingCycle } from './cycle.ts';
import { Nominations } from './nominations.ts';
import { podInfoOf } from './pod-info.ts';
import { type Budget, planPreemption } from './preemption.ts';

const { filters } = defaultProfile;

function sized(name: string, priority: number, cpu: string, more: Partial<Pod> = {}): Pod {
  const made = pod(name, { requests: { cpu }, labels: { app: name }, spec: { priority } });
  return { ...made, ...more, spec: { containers: [], ...made.spec, ...more.spec } };
}
const started = (time: string): Partial<Pod> => ({ status: { startTime: `2026-01-01T${time}:00Z` } });

/** The plan for a pod of 3 cores and priority 100 on nodes of 4 cores. */
function plan(
  placed: Record<string, readonly Pod[]>,
  subject = sized('p', 100, '3'),
  budgets: readonly Budget[] = [],
): string {
  const view = viewOf(
    Object.keys(placed).map((name) => node(name)),
    placed,
  );
  const before = JSON.stringify([...view.table.requested.cpu]);
  const refused = new SchedulingCycle(defaultProfile, () => 0).attempt(podInfoOf(subject), view);
  if (refused.kind !== 'refused') throw new Error('the pod fits');
  const result = planPreemption({ pod: podInfoOf(subject), refused, view, filters, budgets, startOf: () => 0 });
  // Trying out must leave the table as it was.
  expect(JSON.stringify([...view.table.requested.cpu])).toBe(before);
  if (result.kind === 'none') return result.message;
  return `${result.nodeName}: ${result.victims.map((victim) => victim.pod.metadata?.name).join(' ')}`;
}

const budget = (app: string, disruptionsAllowed: number): Budget => {
  return { namespace: 'default', filter: labelFilterOf({ app }), disruptionsAllowed, disrupted: new Set() };
};
const none = 'no new claims to deallocate, preemption: ';

describe('planPreemption', () => {
  it.each<[string, Record<string, readonly Pod[]>, string]>([
    ['the lesser pod goes', { n: [sized('a', 0, '2')] }, 'n: a'],
    [
      'only as many as needed, the least important',
      { n: [sized('a', 5, '1'), sized('b', 1, '1'), sized('c', 3, '1')] },
      'n: c b',
    ],
    [
      'equals stay',
      { n: [sized('a', 100, '2')] },
      `${none}0/1 nodes are available: 1 No preemption victims found for incoming pod.`,
    ],
    ['where least priority is lost', { n: [sized('a', 50, '2')], m: [sized('b', 10, '2')] }, 'm: b'],
    [
      'fewer rather than more of the same',
      { n: [sized('a', 1, '1500m'), sized('b', 1, '1500m')], m: [sized('c', 1, '2')] },
      'm: c',
    ],
    [
      'the younger of the same',
      { n: [sized('a', 1, '2', started('01:00'))], m: [sized('b', 1, '2', started('02:00'))] },
      'm: b',
    ],
    [
      'the younger one of a node goes',
      { n: [sized('a', 1, '1', started('02:00')), sized('b', 1, '1', started('01:00'))] },
      'n: a',
    ],
    [
      'not even an empty node would do',
      { n: [sized('a', 200, '2'), sized('b', 0, '1')] },
      `${none}0/1 nodes are available: 1 Insufficient cpu.`,
    ],
  ])('%s', (_, placed, expected) => expect(plan(placed)).toBe(expected));

  it('spares pods that a budget protects, if it can', () => {
    const placed = { n: [sized('a', 1, '2')], m: [sized('b', 10, '2')] };
    expect(plan(placed, undefined, [budget('a', 0)])).toBe('m: b');
    expect(plan(placed, undefined, [budget('a', 1)])).toBe('n: a');
    expect(plan({ n: [sized('a', 1, '2')] }, undefined, [budget('a', 0)])).toBe('n: a');
  });

  it('does not evict where that cannot help', () => {
    const subject = sized('p', 100, '3', {
      spec: { containers: sized('p', 0, '3').spec?.containers ?? [], priority: 100, nodeSelector: { disk: 'ssd' } },
    });
    expect(plan({ n: [sized('a', 0, '2')] }, subject)).toBe(
      `${none}0/1 nodes are available: 1 Preemption is not helpful for scheduling.`,
    );
  });

  it('does nothing for a pod that is not to preempt', () => {
    const subject = sized('p', 100, '3');
    const never = { ...subject, spec: { containers: [], ...subject.spec, preemptionPolicy: 'Never' } };
    expect(plan({ n: [sized('a', 0, '2')] }, never)).toBe(`${none}not eligible due to preemptionPolicy=Never.`);
  });

  it('waits for those it has evicted already', () => {
    const going = sized('a', 0, '2');
    const victim: Pod = {
      ...going,
      metadata: { ...going.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
      status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] },
    };
    const subject = sized('p', 100, '3', { status: { nominatedNodeName: 'n' } });
    expect(plan({ n: [victim] }, subject)).toBe(`${none}not eligible due to a terminating pod on the nominated node.`);
  });
});

describe('Nominations', () => {
  it('keeps the room that was made from pods that matter less', () => {
    const view = viewOf([node('n'), node('m')], { m: [sized('full', 0, '4')] });
    const nominations = new Nominations();
    nominations.set(podInfoOf(sized('vip', 100, '3')), 'n');
    const cycle = new SchedulingCycle(defaultProfile, () => 0);
    const attempt = (priority: number, cpu: string) => {
      const info = podInfoOf(sized('p', priority, cpu));
      return cycle.attempt(info, view, (prepared, row) => nominations.check(info, row, prepared, filters, view));
    };
    expect(attempt(50, '2').kind).toBe('refused');
    expect(attempt(50, '1')).toMatchObject({ nodeName: 'n' });
    expect(attempt(200, '2')).toMatchObject({ nodeName: 'n' });
    nominations.delete('default/vip');
    expect(attempt(50, '2')).toMatchObject({ nodeName: 'n' });
  });
});
