// Init containers in order, sidecars among them. We look at them from the last to the first: earlier ones may have
// been removed from the runtime, so the newest trace of progress is what counts.
import type { Container, Pod } from '@wherry/api';
import type { ContainerKill } from './pod-actions.ts';
import type { ProbeVerdicts } from './probe-verdicts.ts';
import { initContainerRestartsAfter, isRestartableInit } from './restart.ts';
import { latestContainer, type RuntimeContainer, type RuntimePod } from './runtime-state.ts';

export interface InitActions {
  /** Whether the pod's containers may run. */
  readonly initialized: boolean;
  /** An init container failed for good. */
  readonly podFailed: boolean;
  readonly kill: readonly ContainerKill[];
  readonly start: readonly string[];
  readonly why: string;
}

interface Step {
  readonly startSelf?: boolean;
  readonly startNext?: boolean;
  readonly kill?: ContainerKill;
  readonly podFailed?: boolean;
  readonly why: string;
}

function regularContainerHasStarted(pod: Pod, runtime: RuntimePod): boolean {
  return (pod.spec?.containers ?? []).some((container) => {
    const phase = latestContainer(runtime, container.name)?.phase;
    return phase === 'created' || phase === 'running';
  });
}

function killOf(status: RuntimeContainer, reason: ContainerKill['reason'], message: string): ContainerKill {
  return { id: status.id, name: status.name, reason, message };
}

function stepRunningSidecar(container: Container, status: RuntimeContainer, probes: ProbeVerdicts): Step {
  const name = container.name;
  if (container.startupProbe !== undefined) {
    const startup = probes.startup(status.id);
    if (startup === undefined) return { why: `waiting for the startup probe of ${name}` };
    if (startup === 'failure') {
      const kill = killOf(status, 'startup-probe', `Init container ${name} failed startup probe`);
      return { startSelf: true, kill, why: kill.message };
    }
  }
  if (container.livenessProbe !== undefined && probes.liveness(status.id) === 'failure') {
    const kill = killOf(status, 'liveness-probe', `Init container ${name} failed liveness probe`);
    return { startSelf: true, startNext: true, kill, why: kill.message };
  }
  return { startNext: true, why: `sidecar ${name} has started` };
}

function stepOf(pod: Pod, container: Container, status: RuntimeContainer, probes: ProbeVerdicts): Step {
  const name = container.name;
  const restartable = isRestartableInit(container);
  switch (status.phase) {
    case 'created':
      return { startSelf: true, why: `init container ${name} was created but never started` };
    case 'running':
      if (restartable) return stepRunningSidecar(container, status, probes);
      return { why: `init container ${name} is running` };
    case 'exited': {
      const exitCode = status.exitCode ?? 1;
      if (restartable) return { startSelf: true, why: `sidecar ${name} exited` };
      if (exitCode === 0) return { startNext: true, why: `init container ${name} completed` };
      if (!initContainerRestartsAfter(pod, container, exitCode)) {
        return { podFailed: true, why: `init container ${name} failed with exit code ${exitCode}` };
      }
      return { startSelf: true, why: `init container ${name} failed with exit code ${exitCode}` };
    }
    case 'unknown': {
      const message = 'Init container is in "Unknown" state, try killing it before restart';
      return { startSelf: true, kill: killOf(status, 'unknown-state', message), why: message };
    }
  }
}

/** What the init containers need next. A pod without any is initialized. */
export function computeInitActions(pod: Pod, runtime: RuntimePod, probes: ProbeVerdicts): InitActions {
  const containers = pod.spec?.initContainers ?? [];
  if (containers.length === 0) {
    return { initialized: true, podFailed: false, kill: [], start: [], why: 'no init containers' };
  }
  let initialized = regularContainerHasStarted(pod, runtime);
  let laterSeen = initialized;
  const kill: ContainerKill[] = [];
  const start: string[] = [];
  const reasons: string[] = [];
  for (let index = containers.length - 1; index >= 0; index--) {
    const container = containers[index];
    if (container === undefined) continue;
    const restartable = isRestartableInit(container);
    if (laterSeen && !restartable) continue;
    const status = latestContainer(runtime, container.name);
    if (status === undefined) {
      if (laterSeen) start.push(container.name);
      continue;
    }
    const step = stepOf(pod, container, status, probes);
    if (step.podFailed === true) return { initialized: false, podFailed: true, kill, start: [], why: step.why };
    if (step.startSelf === true) start.push(container.name);
    if (step.kill !== undefined) kill.push(step.kill);
    if (step.startNext === true && !laterSeen) {
      const next = containers[index + 1];
      if (next === undefined) initialized = true;
      else start.push(next.name);
    }
    reasons.push(step.why);
    laterSeen = true;
  }
  const first = containers[0];
  if (!laterSeen && first !== undefined) {
    start.push(first.name);
    reasons.push(`init container ${first.name} comes first`);
  }
  return { initialized, podFailed: false, kill, start: start.reverse(), why: reasons.join('; ') };
}
