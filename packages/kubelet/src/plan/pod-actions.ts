// What to do next for one pod, decided from its spec, the runtime and the probes. Same decisions as upstream's
// computePodActions; the shell in pods/ carries the value out.
import type { Container, Pod } from '@wherry/api';
import { containerHash } from './container-hash.ts';
import { computeInitActions } from './init-actions.ts';
import type { ProbeVerdicts } from './probe-verdicts.ts';
import { restartsAfterExit, shouldContainerBeStarted, shouldRestartOnFailure } from './restart.ts';
import { latestContainer, type RuntimeContainer, type RuntimePod } from './runtime-state.ts';

export type KillReason = 'definition-changed' | 'liveness-probe' | 'startup-probe' | 'unknown-state';

export interface ContainerKill {
  readonly id: string;
  readonly name: string;
  readonly reason: KillReason;
  /** Text of the `Killing` event. */
  readonly message: string;
}

export interface PodActions {
  /** One sentence for the plan's log line. */
  readonly why: string;
  /** Stop all containers and the sandbox first; with `createSandbox` the pod then begins anew. */
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  /** Attempt number of the sandbox to create, or of the one in use. */
  readonly attempt: number;
  readonly sandboxId?: string;
  readonly kill: readonly ContainerKill[];
  /** Names, in order. Init containers and containers never stand in one plan while the first still run. */
  readonly startInit: readonly string[];
  readonly start: readonly string[];
}

export interface SandboxDecision {
  readonly create: boolean;
  readonly attempt: number;
  readonly sandboxId?: string;
  readonly why: string;
}

/** Whether the pod needs a (new) sandbox. */
export function decideSandbox(pod: Pod, runtime: RuntimePod): SandboxDecision {
  const latest = runtime.sandboxes[0];
  if (latest === undefined) return { create: true, attempt: 0, why: 'no sandbox exists' };
  const next = { create: true, attempt: latest.attempt + 1, sandboxId: latest.id };
  const readyCount = runtime.sandboxes.filter((sandbox) => sandbox.ready).length;
  if (readyCount > 1) return { ...next, why: 'more than one sandbox is ready' };
  if (!latest.ready) return { ...next, why: 'the sandbox is not ready' };
  const hostNetwork = pod.spec?.hostNetwork === true;
  if (latest.hostNetwork !== hostNetwork) return { ...next, why: 'the network namespace mode changed' };
  if (!hostNetwork && latest.ip === undefined) return { ...next, why: 'the sandbox has no address' };
  return { create: false, attempt: latest.attempt, sandboxId: latest.id, why: 'the sandbox is ready' };
}

function containersForNewSandbox(pod: Pod, runtime: RuntimePod): readonly string[] {
  return (pod.spec?.containers ?? [])
    .filter((container) => {
      const latest = latestContainer(runtime, container.name);
      const succeeded = latest?.phase === 'exited' && latest.exitCode === 0;
      return !(succeeded && !restartsAfterExit(pod, container, 0) && shouldRestartOnFailure(pod));
    })
    .map((container) => container.name);
}

function planNewSandbox(pod: Pod, runtime: RuntimePod, sandbox: SandboxDecision): PodActions {
  const base: PodActions = {
    why: sandbox.why,
    killPod: true,
    createSandbox: true,
    attempt: sandbox.attempt,
    ...(sandbox.sandboxId !== undefined && { sandboxId: sandbox.sandboxId }),
    kill: [],
    startInit: [],
    start: [],
  };
  if (!shouldRestartOnFailure(pod) && sandbox.attempt !== 0 && runtime.containers.length > 0) {
    return { ...base, createSandbox: false, why: `${sandbox.why}; restartPolicy Never forbids another run` };
  }
  const start = containersForNewSandbox(pod, runtime);
  if (start.length === 0) return { ...base, createSandbox: false, why: 'all containers have completed' };
  const firstInit = pod.spec?.initContainers?.[0];
  if (firstInit !== undefined) return { ...base, startInit: [firstInit.name] };
  return { ...base, start };
}

type ContainerDecision =
  | { readonly kind: 'keep' }
  | { readonly kind: 'start'; readonly kill?: ContainerKill }
  | { readonly kind: 'kill'; readonly kill: ContainerKill; readonly restart: boolean }
  | { readonly kind: 'leave' };

function killOf(container: RuntimeContainer, reason: KillReason, message: string): ContainerKill {
  return { id: container.id, name: container.name, reason, message };
}

function decideContainer(
  pod: Pod,
  container: Container,
  runtime: RuntimePod,
  probes: ProbeVerdicts,
): ContainerDecision {
  const latest = latestContainer(runtime, container.name);
  if (latest === undefined || latest.phase !== 'running') {
    if (!shouldContainerBeStarted(pod, container, runtime)) return { kind: 'leave' };
    if (latest?.phase !== 'unknown') return { kind: 'start' };
    const message = 'Container is in "Unknown" state, try killing it before restart';
    return { kind: 'start', kill: killOf(latest, 'unknown-state', message) };
  }
  const name = container.name;
  // 137: what it will exit with if it has to be killed; only rules on exit codes can tell the difference.
  const restart = restartsAfterExit(pod, container, 137);
  if (latest.specHash !== containerHash(container)) {
    return {
      kind: 'kill',
      kill: killOf(latest, 'definition-changed', `Container ${name} definition changed`),
      restart: true,
    };
  }
  if (probes.liveness(latest.id) === 'failure') {
    return { kind: 'kill', kill: killOf(latest, 'liveness-probe', `Container ${name} failed liveness probe`), restart };
  }
  if (probes.startup(latest.id) === 'failure') {
    return { kind: 'kill', kill: killOf(latest, 'startup-probe', `Container ${name} failed startup probe`), restart };
  }
  return { kind: 'keep' };
}

/** The plan for a pod that is meant to run. */
export function computePodActions(pod: Pod, runtime: RuntimePod, probes: ProbeVerdicts): PodActions {
  const sandbox = decideSandbox(pod, runtime);
  if (sandbox.create) return planNewSandbox(pod, runtime, sandbox);
  const base = {
    createSandbox: false,
    attempt: sandbox.attempt,
    ...(sandbox.sandboxId !== undefined && { sandboxId: sandbox.sandboxId }),
  };
  const init = computeInitActions(pod, runtime, probes);
  if (init.podFailed) {
    return { ...base, why: init.why, killPod: true, kill: [], startInit: [], start: [] };
  }
  if (!init.initialized) {
    return { ...base, why: init.why, killPod: false, kill: init.kill, startInit: init.start, start: [] };
  }
  const kill: ContainerKill[] = [...init.kill];
  const start: string[] = [];
  const reasons: string[] = [];
  let kept = 0;
  for (const container of pod.spec?.containers ?? []) {
    const decision = decideContainer(pod, container, runtime, probes);
    if (decision.kind === 'keep') kept++;
    if (decision.kind === 'start') {
      start.push(container.name);
      if (decision.kill !== undefined) kill.push(decision.kill);
      reasons.push(`${container.name} is not running`);
    }
    if (decision.kind === 'kill') {
      const { message } = decision.kill;
      kill.push(decision.restart ? { ...decision.kill, message: `${message}, will be restarted` } : decision.kill);
      if (decision.restart) start.push(container.name);
      reasons.push(message);
    }
  }
  if (kept === 0 && start.length === 0) {
    // Sidecars must not keep a pod alive whose containers are all done.
    return { ...base, why: 'all containers have completed', killPod: true, kill, startInit: [], start: [] };
  }
  const why = [...reasons, ...(init.start.length > 0 ? [init.why] : [])].join('; ') || 'nothing to do';
  return { ...base, why, killPod: false, kill, startInit: init.start, start };
}
