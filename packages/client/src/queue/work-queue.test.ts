import { Scope, silentLogger, VirtualClock } from '@wherry/daemon';
import { describe, expect, it } from 'vitest';
import { runWorkers, TerminalError } from './run-workers.ts';
import { WorkQueue } from './work-queue.ts';

describe('WorkQueue', () => {
  it('keeps one entry for a key added twice', async () => {
    const queue = new WorkQueue(new VirtualClock());
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect(queue.depth).toBe(2);
    expect([await queue.take(), await queue.take()]).toEqual(['a', 'b']);
  });

  it('gives a key out again only when the work on it is done', async () => {
    const queue = new WorkQueue(new VirtualClock());
    queue.add('a');
    await queue.take();
    queue.add('a');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(await queue.take()).toBe('a');
  });

  it('hands a key to whoever already waits, marked as being worked on', async () => {
    const queue = new WorkQueue(new VirtualClock());
    const waiting = queue.take();
    queue.add('a');
    queue.add('a');
    expect(await waiting).toBe('a');
    expect(queue.depth).toBe(0);
  });

  it('doubles the wait with each failure until forgotten', async () => {
    const clock = new VirtualClock();
    const queue = new WorkQueue(clock, { baseMs: 10, maxMs: 35 });
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      waits.push(queue.addRateLimited('a'));
      await clock.advance(100);
      await queue.take();
      queue.done('a');
    }
    queue.forget('a');
    waits.push(queue.addRateLimited('a'));
    expect(waits).toEqual([10, 20, 35, 35, 10]);
  });

  it('lets the earliest of several delays win', async () => {
    const clock = new VirtualClock();
    const queue = new WorkQueue(clock);
    queue.addAfter('a', 100);
    queue.addAfter('a', 10);
    queue.addAfter('a', 50);
    await clock.advance(10);
    expect(queue.depth).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends waiting takers and timers when closed', async () => {
    const clock = new VirtualClock();
    const queue = new WorkQueue(clock);
    const waiting = queue.take();
    queue.addAfter('a', 10);
    queue.close();
    expect(await waiting).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('runWorkers', () => {
  it('retries failures with back-off, requeues on demand, and gives up on terminal errors', async () => {
    const clock = new VirtualClock();
    const queue = new WorkQueue(clock, { baseMs: 10 });
    const scope = new Scope('test', silentLogger);
    const calls: string[] = [];
    runWorkers({
      name: 'test',
      queue,
      workers: 2,
      scope,
      logger: silentLogger,
      reconcile: async (key) => {
        calls.push(`${key}@${clock.monotonicMs()}`);
        if (key === 'fails-once' && queue.failures(key) === 0) throw new Error('once');
        if (key === 'terminal') throw new TerminalError('never again');
        return key === 'periodic' && calls.length < 6 ? { requeueAfterMs: 25 } : undefined;
      },
    });
    for (const key of ['fails-once', 'terminal', 'periodic']) queue.add(key);
    await clock.advance(100);
    await scope.close();
    expect(calls).toEqual(['fails-once@0', 'terminal@0', 'periodic@0', 'fails-once@10', 'periodic@25', 'periodic@50']);
  });
});
