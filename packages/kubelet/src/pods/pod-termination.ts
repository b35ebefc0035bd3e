// The end of a pod: its containers stop in their order within the grace period, then the sandbox, address and files go.
import { type Container, labelSelectorMatches, type Pod } from '@wherry/api';
import { formatDuration, pause } from '@wherry/daemon';
import { podStatus, withReported } from '../plan/pod-status.ts';
import type { RuntimePod } from '../plan/runtime-state.ts';
import { drainDelayMs, graceAfterHookMs, podGraceSeconds, terminationWaves } from '../plan/termination.ts';
import { runHook } from './lifecycle-hooks.ts';
import { orAborted, type PodEnvironment, type PodState } from './pod-environment.ts';
import { withTerminationMessages } from './termination-messages.ts';

export interface ContainerKillRequest {
  readonly id: string;
  readonly name: string;
  /** Text of the Killing event. */
  readonly message: string;
  readonly graceMs: number;
  readonly runPreStop: boolean;
  /** Held back beside the hook, so that proxies can turn away first. */
  readonly drainMs?: number;
}

function specOf(pod: Pod | undefined, name: string): Container | undefined {
  return [...(pod?.spec?.containers ?? []), ...(pod?.spec?.initContainers ?? [])].find(
    (container) => container.name === name,
  );
}

/** preStop, SIGTERM, and SIGKILL when the grace period is over. Resolves when the container has ended. */
export async function killContainer(
  state: PodState,
  pod: Pod | undefined,
  kill: ContainerKillRequest,
  environment: PodEnvironment,
  signal: AbortSignal,
): Promise<void> {
  const { clock, events, runtime } = environment;
  if (pod !== undefined) events.container(pod, kill.name, 'Normal', 'Killing', kill.message);
  const startedAtMs = clock.monotonicMs();
  const short = AbortSignal.any([signal, state.hasten.signal]);
  const container = specOf(pod, kill.name);
  const drainMs = kill.drainMs ?? 0;
  const drained = drainMs > 0 ? pause(clock, drainMs, short) : undefined;
  if (kill.runPreStop && pod !== undefined && container?.lifecycle?.preStop !== undefined) {
    await preStop(state, pod, container, kill, environment, short);
  }
  await drained;
  signal.throwIfAborted();
  // Shortened meanwhile: the new period counts, from now.
  const graceMs = state.hasten.signal.aborted
    ? state.graceMs
    : graceAfterHookMs(kill.graceMs, clock.monotonicMs() - startedAtMs);
  await orAborted(runtime.stopContainer(kill.id, graceMs), signal);
}

async function preStop(
  state: PodState,
  pod: Pod,
  container: Container,
  kill: ContainerKillRequest,
  environment: PodEnvironment,
  signal: AbortSignal,
): Promise<void> {
  const hook = container.lifecycle?.preStop;
  if (hook === undefined) return;
  const podIp = environment.cache.get(state.identity.uid)?.sandboxes[0]?.ip ?? environment.place.hostIp;
  try {
    const limits = { timeoutMs: kill.graceMs, signal };
    await orAborted(runHook(hook, { container, containerId: kill.id, podIp }, limits, environment), signal);
  } catch (error) {
    if (signal.aborted) return;
    const message = error instanceof Error ? error.message : String(error);
    environment.events.container(pod, container.name, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${message}`);
  }
}

function isSelected(pod: Pod, environment: PodEnvironment): boolean {
  const labels = pod.metadata?.labels ?? {};
  return environment.services().some((service) => {
    const selector = service.spec?.selector;
    if (selector === undefined || Object.keys(selector).length === 0) return false;
    if (service.metadata?.namespace !== pod.metadata?.namespace) return false;
    return labelSelectorMatches({ matchLabels: selector }, labels);
  });
}

/** Milliseconds the pod's containers get, as things stand now. */
export function currentGraceMs(state: PodState, runtime: RuntimePod | undefined): number {
  if (state.pod !== undefined) return podGraceSeconds(state.pod) * 1000;
  return Math.max(1, runtime?.containers[0]?.graceSeconds ?? 1) * 1000;
}

/** Stops all containers of the pod, in waves, within one grace period. */
export async function stopAllContainers(
  state: PodState,
  runtime: RuntimePod,
  options: { readonly graceMs: number; readonly message: (name: string) => string; readonly drain: boolean },
  environment: PodEnvironment,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = environment;
  const endsAtMs = clock.monotonicMs() + options.graceMs;
  const pod = state.pod;
  // A kubelet that has just been restarted knows only what the API shows.
  const conditions = environment.status.get(state.identity.uid)?.conditions ?? pod?.status?.conditions;
  const ready = conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  const drainMs =
    options.drain && pod !== undefined
      ? drainDelayMs({
          ready: ready === true,
          selected: isSelected(pod, environment),
          graceMs: options.graceMs,
          drainMs: environment.drainMs,
        })
      : 0;
  for (const [index, wave] of terminationWaves(pod, runtime).entries()) {
    const graceMs = Math.max(1_000, endsAtMs - clock.monotonicMs());
    const kills = wave.map((container) =>
      killContainer(
        state,
        pod,
        {
          id: container.id,
          name: container.name,
          message: options.message(container.name),
          graceMs,
          runPreStop: container.phase === 'running',
          drainMs: index === 0 ? drainMs : 0,
        },
        environment,
        signal,
      ),
    );
    await Promise.all(kills);
  }
}

/** Ends the pod's processes and settles its last status. Its containers stay, to be looked at and for their logs. */
export async function endPod(state: PodState, environment: PodEnvironment, signal: AbortSignal): Promise<void> {
  const { cache, probes, runtime, network, status, clock, logger, place } = environment;
  const { uid } = state.identity;
  const before = await cache.refresh(state.identity);
  probes.stopLiveness(uid);
  state.graceMs = currentGraceMs(state, before);
  const deleted = state.removed || state.pod?.metadata?.deletionTimestamp !== undefined;
  logger.info(
    { pod: state.identity, grace: formatDuration(state.graceMs), deleted, verdict: state.verdict?.reason },
    'ending pod',
  );
  const message = (name: string) => `Stopping container ${name}`;
  await stopAllContainers(state, before, { graceMs: state.graceMs, message, drain: deleted }, environment, signal);
  probes.stop(uid);
  const after = await withTerminationMessages(state, await cache.refresh(state.identity), runtime, place.rootDirectory);
  if (!deleted) {
    await Promise.all(after.sandboxes.filter(({ ready }) => ready).map(({ id }) => runtime.stopSandbox(id)));
    await network.release(uid, after.sandboxes);
    await cache.refresh(state.identity);
  }
  if (state.pod === undefined || state.removed) return;
  const final = podStatus(withReported(state.pod, status.get(uid)), {
    runtimeName: runtime.name,
    runtime: { ...after, sandboxes: after.sandboxes.map((sandbox) => ({ ...sandbox, ready: false })) },
    probes,
    startFailures: new Map(),
    terminal: true,
    hostIp: place.hostIp,
    nowMs: clock.now(),
    ...(state.verdict !== undefined && { verdict: state.verdict }),
  });
  status.set(state.pod, final);
}

/** Removes every trace of an ended pod from this node; its object may go as soon as nothing of it can run. */
export async function removePod(state: PodState, environment: PodEnvironment): Promise<void> {
  const { cache, runtime, network, volumes, status } = environment;
  const { uid } = state.identity;
  if (state.cleaned) return;
  await volumes.tearDown(uid);
  status.finish(uid);
  const left = cache.get(uid) ?? (await cache.refresh(state.identity));
  await Promise.all([...left.containers, ...left.sandboxes].map(({ id }) => runtime.remove(id)));
  // Only now can nobody use the address any more.
  await network.release(uid, left.sandboxes);
  await cache.refresh(state.identity);
  state.cleaned = true;
}
