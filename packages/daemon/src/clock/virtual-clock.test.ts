import { describe, expect, it } from 'vitest';
import { pause, rfc3339, rfc3339Micro } from './clock.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('VirtualClock', () => {
  it('fires timers in the order of time, then of creation', async () => {
    const clock = new VirtualClock(0);
    const fired: string[] = [];
    clock.setTimer(20, () => fired.push(`late at ${clock.now()}`));
    clock.setTimer(10, () => fired.push(`first at ${clock.now()}`));
    clock.setTimer(10, () => fired.push(`second at ${clock.now()}`));
    clock.setTimer(10, () => fired.push('cancelled')).cancel();
    await clock.advance(15);
    expect(fired).toEqual(['first at 10', 'second at 10']);
    await clock.advance(5);
    expect(fired.at(-1)).toBe('late at 20');
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets sleeping code run on between timers', async () => {
    const clock = new VirtualClock(0);
    const woke: number[] = [];
    const sleeper = (async () => {
      for (let i = 0; i < 3; i++) {
        await clock.sleep(10);
        woke.push(clock.now());
      }
    })();
    await clock.advance(30);
    await sleeper;
    expect(woke).toEqual([10, 20, 30]);
  });

  it('ends a sleep at once when it is aborted', async () => {
    const clock = new VirtualClock(0);
    const abort = new AbortController();
    const slept = pause(clock, 1000, abort.signal);
    abort.abort();
    expect(await slept).toBe(false);
    expect(clock.pendingTimers).toBe(0);
    await expect(clock.sleep(1, abort.signal)).rejects.toBe(abort.signal.reason);
  });
});

describe('API times', () => {
  it('are written as upstream writes them', () => {
    expect(rfc3339(1_700_000_000_123)).toBe('2023-11-14T22:13:20Z');
    expect(rfc3339Micro(1_700_000_000_123)).toBe('2023-11-14T22:13:20.123000Z');
  });
});
