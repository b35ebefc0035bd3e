import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podInfoOf } from '../framework/pod-info.ts';
import { nodeResourcesFit } from '../plugins/node-resources.ts';
import { taintToleration } from '../plugins/taint-toleration.ts';
import { node, pod } from '../testing/cluster-builder.ts';
import { Heap } from './heap.ts';
import { type QueuedPod, SchedulingQueue } from './scheduling-queue.ts';

const info = (name: string, priority = 0, spec = {}) => podInfoOf(pod(name, { spec: { priority, ...spec } }));

function newQueue(): SchedulingQueue {
  return new SchedulingQueue([nodeResourcesFit, taintToleration]);
}
function popped(queue: SchedulingQueue, nowMs: number): QueuedPod {
  const queued = queue.pop(nowMs);
  if (queued === undefined) throw new Error('nothing to pop');
  return queued;
}
const fit = new Set(['NodeResourcesFit']);

describe('SchedulingQueue', () => {
  it('gives the most important first, then the oldest', () => {
    const queue = newQueue();
    queue.add(info('late'), 2);
    queue.add(info('early'), 1);
    queue.add(info('important', 10), 3);
    expect([1, 2, 3].map(() => queue.pop(5)?.info.pod.metadata?.name)).toEqual(['important', 'early', 'late']);
    expect(queue.pop(5)).toBeUndefined();
  });

  it('keeps a refused pod until something helps, and flushes it after five minutes', () => {
    const queue = newQueue();
    queue.add(info('p'), 0);
    queue.refused(popped(queue, 0), fit, 0);
    expect(queue.sizes).toEqual({ active: 0, backoff: 0, unschedulable: 1 });
    expect(queue.nextMoveMs).toBe(300_000);
    expect(queue.pop(299_999)).toBeUndefined();
    expect(queue.pop(300_000)?.attempts).toBe(2);
  });

  it.each([
    ['a pod that leaves', { kind: 'pod-left', pod: info('q') } as const, 1],
    ['a node with room', { kind: 'node-added', node: node('n') } as const, 1],
    ['a node without', { kind: 'node-added', node: node('n', { allocatable: { cpu: '0' } }) } as const, 0],
    ['a pod that comes', { kind: 'pod-placed', pod: info('q') } as const, 0],
  ])('for want of room: %s', (_, event, moved) => {
    const queue = newQueue();
    queue.add(podInfoOf(pod('p', { requests: { cpu: '1' } })), 0);
    queue.refused(popped(queue, 0), fit, 0);
    expect(queue.onEvent(event, 10)).toBe(moved);
  });

  it('backs off 1, 2, 4, 8, 10, 10 seconds while busy', () => {
    const queue = newQueue();
    queue.add(info('p'), 0);
    let nowMs = 0;
    const waits = [0, 1, 2, 3, 4, 5].map(() => {
      const startMs = nowMs;
      queue.failed(popped(queue, nowMs), nowMs);
      nowMs = queue.nextMoveMs ?? Number.NaN;
      return nowMs - startMs;
    });
    expect(waits).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
    expect(queue.pop(nowMs - 1)).toBeUndefined();
  });

  it('tries a helped pod at once when idle, after its back-off when not', () => {
    const queue = newQueue();
    queue.add(info('p'), 0);
    queue.refused(popped(queue, 0), fit, 0);
    queue.add(info('other'), 1);
    queue.onEvent({ kind: 'pod-left', pod: info('q') }, 1);
    expect(popped(queue, 2).info.pod.metadata?.name).toBe('other');
    expect(popped(queue, 2).info.pod.metadata?.name).toBe('p');
  });

  it('does not hurry a pod whose attempt broke off', () => {
    const queue = newQueue();
    queue.add(info('p'), 0);
    queue.failed(popped(queue, 0), 0);
    expect(queue.pop(999)).toBeUndefined();
    expect(queue.pop(1000)).toBeDefined();
  });

  it('tries a refused pod again when it asks for something else, not when only its status changes', () => {
    const queue = newQueue();
    queue.add(info('p'), 0);
    queue.refused(popped(queue, 0), fit, 0);
    queue.update(info('p'), 10_000);
    expect(queue.sizes.unschedulable).toBe(1);
    queue.update(info('p', 0, { tolerations: [{ operator: 'Exists' }] }), 10_000);
    expect(queue.sizes.active).toBe(1);
  });

  it('forgets a pod that goes, also while in flight', () => {
    const queue = newQueue();
    queue.add(info('p'), 0);
    const queued = popped(queue, 0);
    queue.remove('default/p');
    queue.refused(queued, fit, 0);
    expect(queue.sizes).toEqual({ active: 0, backoff: 0, unschedulable: 0 });
  });
});

describe('Heap', () => {
  it('sorts, whatever is taken out of the middle', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ value: fc.integer(), taken: fc.boolean() })), (items) => {
        const heap = new Heap<{ value: number; taken: boolean }>((a, b) => a.value < b.value);
        for (const item of items) heap.push(item);
        for (const item of items) if (item.taken) heap.delete(item);
        const out: number[] = [];
        for (let next = heap.pop(); next !== undefined; next = heap.pop()) out.push(next.value);
        const expected = items.filter(({ taken }) => !taken).map(({ value }) => value);
        expect(out).toEqual(expected.sort((a, b) => a - b));
      }),
    );
  });
});
