import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { collectWhenIdle } from './idle-heap.ts';

let usedBytes = 0;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  vi.spyOn(process, 'memoryUsage').mockImplementation((() => ({ heapUsed: usedBytes })) as never);
  vi.spyOn(performance, 'eventLoopUtilization').mockImplementation(() => ({ idle: 1, active: 0, utilization }));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
let utilization = 0;

it('collects after the start, then only what has become worth it, and only while idle', () => {
  const collect = vi.fn(() => {
    usedBytes = 10 << 20;
  });
  usedBytes = 15 << 20;
  utilization = 0;
  collectWhenIdle(collect);
  vi.advanceTimersByTime(4_000);
  expect(collect).toHaveBeenCalledTimes(0);
  vi.advanceTimersByTime(1_000);
  expect(collect).toHaveBeenCalledTimes(1);
  usedBytes = 11 << 20;
  vi.advanceTimersByTime(65_000);
  expect(collect).toHaveBeenCalledTimes(1);
  usedBytes = 13 << 20;
  utilization = 0.2;
  vi.advanceTimersByTime(60_000);
  expect(collect).toHaveBeenCalledTimes(1);
  utilization = 0.01;
  vi.advanceTimersByTime(60_000);
  expect(collect).toHaveBeenCalledTimes(2);
});

it('leaves large heaps to the engine', () => {
  const collect = vi.fn();
  usedBytes = 100 << 20;
  utilization = 0;
  collectWhenIdle(collect);
  vi.advanceTimersByTime(120_000);
  expect(collect).not.toHaveBeenCalled();
});
