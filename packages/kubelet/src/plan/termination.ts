// How a pod is brought to its end: how long it may take, and who stops before whom.
import type { Container, Pod, Probe } from '@wherry/api';
import { isRestartableInit } from './restart.ts';
import type { RuntimeContainer, RuntimePod } from './runtime-state.ts';

/** Whatever a preStop hook has used up, a process gets this long between SIGTERM and SIGKILL. */
export const graceAfterHookMsMin = 2_000;

/** Seconds that a pod is given, from its deletion if it is being deleted. At least 1. */
export function podGraceSeconds(pod: Pod): number {
  const given = pod.metadata?.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
  return Math.max(1, given);
}

/** Grace of one container that is killed because of a probe, which may have a grace period of its own. */
export function probeGraceSeconds(pod: Pod, probe: Probe | undefined): number {
  return Math.max(1, probe?.terminationGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30);
}

/** Milliseconds that remain for SIGTERM once the preStop hook has taken `hookMs`. */
export function graceAfterHookMs(graceMs: number, hookMs: number): number {
  return Math.max(Math.min(graceMs, graceAfterHookMsMin), graceMs - hookMs);
}

/**
 * Containers to stop, in waves: all of one wave together, then the next. Sidecars stop after everything that was
 * started after them, last first (KEP-753).
 */
export function terminationWaves(pod: Pod | undefined, runtime: RuntimePod): readonly (readonly RuntimeContainer[])[] {
  const running = runtime.containers.filter((container) => container.phase !== 'exited');
  const sidecars = (pod?.spec?.initContainers ?? [])
    .filter(isRestartableInit)
    .map((container: Container) => container.name);
  const waves: RuntimeContainer[][] = [running.filter((container) => !sidecars.includes(container.name))];
  for (const name of sidecars.toReversed()) waves.push(running.filter((container) => container.name === name));
  return waves.filter((wave) => wave.length > 0);
}

export interface DrainInputs {
  readonly ready: boolean;
  /** Whether a Service selects the pod. */
  readonly selected: boolean;
  readonly graceMs: number;
  readonly drainMs: number;
}

/**
 * How long SIGTERM is held back so that proxies can stop sending new connections first. Upstream leaves this to a
 * preStop sleep in every pod; we do it for pods that serve traffic, inside their grace period.
 */
export function drainDelayMs(inputs: DrainInputs): number {
  if (!inputs.ready || !inputs.selected) return 0;
  return Math.min(inputs.drainMs, Math.floor(inputs.graceMs / 3));
}
