import { describe, expect, it } from 'vitest';
import { type BackoffEntry, backoffLeftMs, nextBackoff } from './backoff.ts';

/** Crashes of a container that runs for `runMs` each time: the waits before each restart, in seconds. */
function waits(crashes: number, runMs: number): number[] {
  let nowMs = 1_000_000;
  let entry: BackoffEntry | undefined;
  const result: number[] = [];
  for (let crash = 0; crash < crashes; crash++) {
    nowMs += runMs;
    const crashedAtMs = nowMs;
    const leftMs = backoffLeftMs(entry, crashedAtMs, nowMs);
    result.push(leftMs / 1000);
    nowMs += leftMs;
    entry = nextBackoff(entry, crashedAtMs, nowMs);
  }
  return result;
}

describe('crash back-off', () => {
  it('restarts at once, then after 10 s, doubling up to 5 min', () => {
    expect(waits(8, 1_000)).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
  });

  it('is forgotten when a container ran for more than 10 min', () => {
    expect(waits(3, 601_000)).toEqual([0, 0, 0]);
    expect(waits(3, 599_000)).toEqual([0, 10, 20]);
  });

  it('counts the time that has passed already', () => {
    expect(backoffLeftMs({ backoffMs: 20_000, updatedAtMs: 0 }, 1_000, 16_000)).toBe(5_000);
  });
});
