import { describe, expect, it } from 'vitest';
import { defaultProfile } from '../plugins/default-profile.ts';
import { node, pod, viewOf } from '../testing/cluster-builder.ts';
import { feasibleNodesToFind, SchedulingCycle } from './cycle.ts';
import { podInfoOf } from './pod-info.ts';

describe('feasibleNodesToFind', () => {
  it.each([
    [10, 10],
    [99, 99],
    [100, 100],
    [1000, 420],
    [5000, 500],
    [6000, 300],
  ])('of %d nodes %d', (all, expected) => expect(feasibleNodesToFind(all)).toBe(expected));
});

describe('SchedulingCycle', () => {
  it('begins each search where the last one ended', () => {
    const nodes = Array.from({ length: 200 }, (_, index) => node(`n${index}`));
    const view = viewOf(nodes);
    const cycle = new SchedulingCycle(defaultProfile, () => 0);
    const first = cycle.attempt(podInfoOf(pod('a')), view);
    const second = cycle.attempt(podInfoOf(pod('b')), view);
    expect(first).toMatchObject({ nodeName: 'n0', feasible: 100, evaluated: 100 });
    expect(second).toMatchObject({ nodeName: 'n100' });
  });

  it('lets chance choose among the best', () => {
    const view = viewOf([node('a'), node('b'), node('c')]);
    const chosen = new SchedulingCycle(defaultProfile, (count) => count - 1).attempt(podInfoOf(pod('p')), view);
    expect(chosen).toMatchObject({ nodeName: 'c' });
  });

  it('puts pods one by one where most is left, zones taking turns', () => {
    const zone = (name: string) => ({ labels: { 'topology.kubernetes.io/zone': name } });
    const view = viewOf([node('a1', zone('a')), node('a2', zone('a')), node('b1', zone('b'))]);
    expect([...view.table.order].map((row) => view.table.names[row])).toEqual(['a1', 'b1', 'a2']);
    const cycle = new SchedulingCycle(defaultProfile, () => 0);
    const counts = new Map<string, number>();
    for (let index = 0; index < 9; index++) {
      const info = podInfoOf(pod(`p${index}`, { requests: { cpu: '100m', memory: '100Mi' } }));
      const attempt = cycle.attempt(info, view);
      if (attempt.kind !== 'placed') throw new Error('refused');
      view.table.addPod(info, attempt.nodeName);
      counts.set(attempt.nodeName, (counts.get(attempt.nodeName) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([3, 3, 3]);
  });

  it('goes to the nominated node if it fits', () => {
    const view = viewOf([node('a'), node('b')]);
    const nominated = { ...pod('p'), status: { nominatedNodeName: 'b' } };
    expect(new SchedulingCycle(defaultProfile, () => 0).attempt(podInfoOf(nominated), view)).toMatchObject({
      nodeName: 'b',
    });
  });
});
