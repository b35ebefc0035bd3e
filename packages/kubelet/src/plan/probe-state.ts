// The state machine of one probe of one container: results in, verdict out. When to run it is decided here too, the
// shell only measures and waits.
import type { Container, Probe } from '@wherry/api';
import type { ProbeKind, ProbeVerdict } from './probe-verdicts.ts';

export type ProbeResult =
  | {
      readonly kind: 'success';
      readonly output: string;
      /** Known ahead, of a simulated container: asking again before that would bring the same. */
      readonly sameForMs?: number;
    }
  | { readonly kind: 'failure'; readonly output: string }
  /** The probe itself could not be run; says nothing about the container. */
  | { readonly kind: 'error'; readonly message: string };

export interface ProbeTiming {
  readonly initialDelayMs: number;
  readonly timeoutMs: number;
  readonly periodMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

export interface ProbeState {
  readonly verdict: ProbeVerdict | undefined;
  readonly lastKind: 'success' | 'failure' | undefined;
  /** Results in a row of `lastKind`. */
  readonly run: number;
  /** Set once a verdict ended the probe: a liveness or startup failure (the container is killed), a startup success. */
  readonly stopped: boolean;
}

/** The API's defaults apply where a field is absent. */
export function probeTiming(probe: Probe): ProbeTiming {
  return {
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
    timeoutMs: (probe.timeoutSeconds ?? 1) * 1000,
    periodMs: (probe.periodSeconds ?? 10) * 1000,
    successThreshold: probe.successThreshold ?? 1,
    failureThreshold: probe.failureThreshold ?? 3,
  };
}

export function probeOf(container: Container, kind: ProbeKind): Probe | undefined {
  if (kind === 'startup') return container.startupProbe;
  return kind === 'readiness' ? container.readinessProbe : container.livenessProbe;
}

/**
 * A probe that has not run: readiness begins as failed, liveness as passed, startup undecided. `known` is the
 * readiness that the API shows for this very container when the kubelet has just been restarted.
 */
export function initialProbeState(kind: ProbeKind, known?: ProbeVerdict): ProbeState {
  const initial = kind === 'readiness' ? 'failure' : kind === 'liveness' ? 'success' : undefined;
  return { verdict: known ?? initial, lastKind: undefined, run: 0, stopped: kind === 'startup' && known === 'success' };
}

/** The state after one result. A result below its threshold leaves the verdict as it was. */
export function nextProbeState(
  kind: ProbeKind,
  timing: ProbeTiming,
  state: ProbeState,
  result: ProbeResult,
): ProbeState {
  if (result.kind === 'error' || state.stopped) return state;
  const run = state.lastKind === result.kind ? state.run + 1 : 1;
  const threshold = result.kind === 'success' ? timing.successThreshold : timing.failureThreshold;
  if (run < threshold) return { ...state, lastKind: result.kind, run };
  // After a final failure the container dies; its successor begins with a state of its own.
  const final =
    (kind !== 'readiness' && result.kind === 'failure') || (kind === 'startup' && result.kind === 'success');
  return { verdict: result.kind, lastKind: result.kind, run, stopped: final };
}

/**
 * Milliseconds to wait before the first run. After a kubelet restart probes spread over one period, so that they do
 * not all run at once.
 */
export function firstProbeDelayMs(
  timing: ProbeTiming,
  runningForMs: number,
  freshKubelet: boolean,
  random: number,
): number {
  const initial = Math.max(0, timing.initialDelayMs - runningForMs);
  return freshKubelet ? initial + random * timing.periodMs : initial;
}

/** Milliseconds until the next run: one period, or as many as bring nothing new; Infinity when nothing ever will. */
export function nextProbeDelayMs(timing: ProbeTiming, state: ProbeState, result: ProbeResult): number {
  const settled = result.kind === 'success' && state.verdict === 'success';
  if (!settled || result.sameForMs === undefined) return timing.periodMs;
  return Math.max(1, Math.ceil(result.sameForMs / timing.periodMs)) * timing.periodMs;
}
