import { performance } from 'node:perf_hooks';
import { type Clock, sleepOn } from '../clock/clock.ts';

/** Longest delay a Node timer takes before it overflows and fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(ms, fn) {
    if (ms <= 0) {
      const immediate = setImmediate(fn);
      return { cancel: () => clearImmediate(immediate) };
    }
    const timeout = setTimeout(fn, Math.min(ms, TIMER_MS_MAX));
    return { cancel: () => clearTimeout(timeout) };
  },
  sleep(ms, signal) {
    return sleepOn(systemClock, ms, signal);
  },
};
