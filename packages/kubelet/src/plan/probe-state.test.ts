import { describe, expect, it } from 'vitest';
import {
  firstProbeDelayMs,
  initialProbeState,
  nextProbeDelayMs,
  nextProbeState,
  type ProbeResult,
  probeTiming,
} from './probe-state.ts';
import type { ProbeKind, ProbeVerdict } from './probe-verdicts.ts';

const results: Readonly<Record<string, ProbeResult>> = {
  s: { kind: 'success', output: '' },
  f: { kind: 'failure', output: '' },
  e: { kind: 'error', message: '' },
};
const letters = { success: 'S', failure: 'F' } as const;

/** Verdict after each result: S, F or - for none yet; `!` once the probe has ended. */
function run(
  kind: ProbeKind,
  sequence: string,
  thresholds: { success?: number; failure?: number } = {},
  known?: ProbeVerdict,
): string {
  const timing = probeTiming({ successThreshold: thresholds.success ?? 1, failureThreshold: thresholds.failure ?? 3 });
  let state = initialProbeState(kind, known);
  let shown = '';
  for (const letter of sequence) {
    state = nextProbeState(kind, timing, state, results[letter] ?? { kind: 'error', message: '' });
    shown += (state.verdict === undefined ? '-' : letters[state.verdict]) + (state.stopped ? '!' : '');
  }
  return shown;
}

describe('nextProbeState', () => {
  it.each([
    ['readiness is failed until it passes', 'readiness', 'fs', {}, 'FS'],
    ['readiness needs three failures in a row to be lost', 'readiness', 'sffsfff', {}, 'SSSSSSF'],
    ['readiness comes back', 'readiness', 'sfffs', {}, 'SSSFS'],
    ['readiness may need several successes', 'readiness', 'sfss', { success: 2 }, 'FFFS'],
    ['an error says nothing', 'readiness', 'sffeef', {}, 'SSSSSF'],
    ['liveness passes until it failed, and ends with it', 'liveness', 'ffsfffs', {}, 'SSSSSF!F!'],
    ['startup is undecided until it passes, and ends with it', 'startup', 'ffsf', {}, '--S!S!'],
    ['startup fails for good', 'startup', 'fff', {}, '--F!'],
  ] as const)('%s', (_, kind, sequence, thresholds, expected) => {
    expect(run(kind, sequence, thresholds)).toBe(expected);
  });

  it('goes on from what the API knew when the kubelet was restarted', () => {
    expect(run('readiness', 'ff', {}, 'success')).toBe('SS');
    expect(initialProbeState('startup', 'success').stopped).toBe(true);
  });
});

describe('nextProbeDelayMs', () => {
  const timing = probeTiming({ periodSeconds: 4 });
  const ready = { ...initialProbeState('readiness'), verdict: 'success' } as const;
  const success = (sameForMs?: number) =>
    ({ kind: 'success', output: '', ...(sameForMs !== undefined && { sameForMs }) }) as const;
  it('waits a period, or the periods in which nothing new can come', () => {
    expect(nextProbeDelayMs(timing, ready, success())).toBe(4_000);
    expect(nextProbeDelayMs(timing, ready, success(9_000))).toBe(12_000);
    expect(nextProbeDelayMs(timing, ready, success(Number.POSITIVE_INFINITY))).toBe(Number.POSITIVE_INFINITY);
  });
  it('goes on asking until the verdict has followed the answer', () => {
    expect(nextProbeDelayMs(timing, initialProbeState('readiness'), success(9_000))).toBe(4_000);
    expect(nextProbeDelayMs(timing, ready, { kind: 'failure', output: '' })).toBe(4_000);
  });
});

describe('firstProbeDelayMs', () => {
  const timing = probeTiming({ initialDelaySeconds: 10, periodSeconds: 4 });
  it('waits for the rest of the initial delay', () => {
    expect([0, 3_000, 60_000].map((ranMs) => firstProbeDelayMs(timing, ranMs, false, 0.5))).toEqual([10_000, 7_000, 0]);
  });
  it('spreads the probes of a fresh kubelet over a period', () => {
    expect(firstProbeDelayMs(timing, 60_000, true, 0.5)).toBe(2_000);
  });
});
