import { type Clock, VirtualClock } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { setDeadline } from './deadline.ts';

it('fires in time, unless cancelled', async () => {
  const clock = new VirtualClock();
  let fired = 0;
  setDeadline(clock, 100, () => fired++);
  setDeadline(clock, 100, () => fired++).cancel();
  await clock.advance(99);
  expect(fired).toBe(0);
  await clock.advance(1);
  expect(fired).toBe(1);
});

it('starts anew when this process had stood still', async () => {
  const inner = new VirtualClock();
  let stoodStillMs = 0;
  const clock: Clock = {
    now: () => inner.now(),
    monotonicMs: () => inner.monotonicMs() + stoodStillMs,
    setTimer: (ms, fn) => inner.setTimer(ms, fn),
    sleep: (ms, signal) => inner.sleep(ms, signal),
  };
  let fired = 0;
  const timer = setDeadline(clock, 100, () => fired++);
  stoodStillMs = 20_000;
  await inner.advance(100);
  expect(fired).toBe(0);
  await inner.advance(100);
  expect(fired).toBe(1);
  timer.cancel();
  expect(inner.pendingTimers).toBe(0);
});
