// One look at a pod that is meant to run: read, report, plan, act. Called again whenever anything may have changed.
import { type Container, type Pod, resources } from '@wherry/api';
import { logPlan } from '@wherry/client';
import { apiTime, fromApiTime } from '../plan/api-time.ts';
import { computePodActions, type PodActions } from '../plan/pod-actions.ts';
import { podStatus, withReported } from '../plan/pod-status.ts';
import { probeOf } from '../plan/probe-state.ts';
import { type RuntimePod, readySandbox } from '../plan/runtime-state.ts';
import { podGraceSeconds, probeGraceSeconds } from '../plan/termination.ts';
import { VolumeError } from '../plan/volume-payload.ts';
import type { VolumePaths } from '../volumes/pod-volumes.ts';
import { startContainer } from './container-starter.ts';
import type { PodEnvironment, PodState } from './pod-environment.ts';
import { killContainer, stopAllContainers } from './pod-termination.ts';
import { createSandbox } from './sandbox.ts';
import { withTerminationMessages } from './termination-messages.ts';

export type SyncOutcome =
  /** The pod has come to its end by itself, or the kubelet decided so. */
  { readonly kind: 'ended' } | { readonly kind: 'again'; readonly afterMs: number };

const sandboxRetryMs = 2_000;
const volumeRetryMsMin = 500;
const volumeRetryMsMax = 122_000;
/** Ended containers kept of each name: the newest for its status, one before for `logs --previous`. */
const keptPerName = 2;
/** Answers this fresh may be shared between pods that refresh at the same time. */
const shareMs = 5_000;

export async function syncPod(
  state: PodState,
  pod: Pod,
  environment: PodEnvironment,
  signal: AbortSignal,
): Promise<SyncOutcome> {
  const runtime = await read(state, environment);
  environment.probes.sync(pod, runtime, podIpOf(pod, runtime, environment));
  const phase = report(state, pod, runtime, environment);
  if (phase === 'Succeeded' || phase === 'Failed') return { kind: 'ended' };
  const deadlineMs = untilDeadline(pod, environment);
  if (deadlineMs !== undefined && deadlineMs <= 0) {
    state.verdict = {
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    };
    environment.events.pod(pod, 'Normal', 'DeadlineExceeded', state.verdict.message);
    return { kind: 'ended' };
  }
  const actions = computePodActions(pod, runtime, environment.probes);
  const waits: number[] = [environment.resyncMs, ...(deadlineMs === undefined ? [] : [deadlineMs])];
  if (!isEmpty(actions)) log(state, pod, actions, environment);
  waits.push(await carryOut(state, pod, runtime, actions, environment, signal));
  return { kind: 'again', afterMs: Math.min(...waits) };
}

async function read(state: PodState, environment: PodEnvironment): Promise<RuntimePod> {
  const { cache, runtime, place } = environment;
  return withTerminationMessages(state, await cache.refresh(state.identity), runtime, place.rootDirectory);
}

function podIpOf(pod: Pod, runtime: RuntimePod, environment: PodEnvironment): string {
  if (pod.spec?.hostNetwork === true) return environment.place.hostIp;
  return readySandbox(runtime)?.ip ?? '';
}

/** Tells the API what is; returns the phase. */
function report(state: PodState, pod: Pod, runtime: RuntimePod, environment: PodEnvironment): string | undefined {
  const { probes, clock, status, place } = environment;
  const base = withReported(pod, status.get(state.identity.uid));
  const next = podStatus(base, {
    runtimeName: environment.runtime.name,
    runtime,
    probes,
    startFailures: state.startFailures,
    terminal: false,
    hostIp: place.hostIp,
    nowMs: clock.now(),
  });
  status.set(pod, next);
  return next.phase;
}

function untilDeadline(pod: Pod, environment: PodEnvironment): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds;
  if (seconds === undefined) return undefined;
  const known = environment.status.get(pod.metadata?.uid ?? '')?.startTime ?? pod.status?.startTime;
  const startMs = fromApiTime(known ?? apiTime(environment.clock.now())) ?? environment.clock.now();
  return startMs + seconds * 1000 - environment.clock.now();
}

function isEmpty(actions: PodActions): boolean {
  return (
    !actions.killPod &&
    !actions.createSandbox &&
    actions.kill.length === 0 &&
    actions.start.length === 0 &&
    actions.startInit.length === 0
  );
}

function log(state: PodState, pod: Pod, actions: PodActions, environment: PodEnvironment): void {
  const { namespace, name } = state.identity;
  const key = `${resources.pods.resource}/${namespace}/${name}`;
  logPlan(environment.logger, {
    controller: 'kubelet',
    key: `${namespace}/${name}`,
    inputs: [{ key, resourceVersion: pod.metadata?.resourceVersion }],
    why: actions.why,
    actions: [
      ...(actions.killPod ? [{ verb: 'kill-pod', key }] : []),
      ...(actions.createSandbox ? [{ verb: 'create-sandbox', key }] : []),
      ...actions.kill.map((kill) => ({ verb: 'kill-container', key: `${key}/${kill.name}` })),
      ...[...actions.startInit, ...actions.start].map((container) => ({
        verb: 'start-container',
        key: `${key}/${container}`,
      })),
    ],
  });
}

/** @returns milliseconds after which the pod has to be looked at again */
async function carryOut(
  state: PodState,
  pod: Pod,
  runtime: RuntimePod,
  actions: PodActions,
  environment: PodEnvironment,
  signal: AbortSignal,
): Promise<number> {
  if (actions.killPod) await killForRestart(state, pod, runtime, environment, signal);
  if (actions.killPod && !actions.createSandbox) return 0;
  const now = await killSome(state, pod, runtime, actions, environment, signal);
  const volumes = await setUpVolumes(state, pod, environment);
  if (volumes === undefined) return volumeRetryMs(state);
  if (!actions.createSandbox && actions.start.length === 0 && actions.startInit.length === 0) {
    await removeOld(runtime, environment);
    return environment.resyncMs;
  }
  let sandboxId = actions.sandboxId ?? '';
  let podIp = podIpOf(pod, runtime, environment);
  if (actions.createSandbox) {
    const sandbox = await trySandbox(state, pod, actions.attempt, environment);
    if (sandbox === undefined) return sandboxRetryMs;
    sandboxId = sandbox.id;
    podIp = sandbox.podIp;
  }
  const waits = [environment.resyncMs];
  for (const name of [...actions.startInit, ...actions.start]) {
    signal.throwIfAborted();
    const container = specOf(pod, name);
    if (container === undefined) continue;
    const outcome = await startContainer(
      state,
      { pod, container, runtime: now, sandboxId, podIp, volumes },
      environment,
      signal,
    );
    if (outcome.kind === 'failed') waits.push(outcome.retryAfterMs);
    // What comes after an init container is planned once that one has begun.
    else if (actions.startInit.includes(name)) waits.push(0);
    if (outcome.kind === 'failed' && actions.startInit.includes(name)) break;
  }
  const after = await read(state, environment);
  environment.probes.sync(pod, after, podIp);
  const phase = report(state, pod, after, environment);
  await removeOld(after, environment);
  return phase === 'Succeeded' || phase === 'Failed' ? 0 : Math.min(...waits);
}

function specOf(pod: Pod, name: string): Container | undefined {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].find(
    (container) => container.name === name,
  );
}

/** Everything of a sandbox that is of no use any more stops before another is made. */
async function killForRestart(
  state: PodState,
  pod: Pod,
  runtime: RuntimePod,
  environment: PodEnvironment,
  signal: AbortSignal,
): Promise<void> {
  if (runtime.sandboxes.length > 0) {
    const words = 'Pod sandbox changed, it will be killed and re-created.';
    environment.events.pod(pod, 'Normal', 'SandboxChanged', words);
  }
  const options = {
    graceMs: podGraceSeconds(pod) * 1000,
    message: (name: string) => `Stopping container ${name}`,
    drain: false,
  };
  await stopAllContainers(state, runtime, options, environment, signal);
  await Promise.all(runtime.sandboxes.map(({ id }) => environment.runtime.remove(id)));
  await environment.network.release(state.identity.uid, runtime.sandboxes);
}

/** @returns the pod as it is afterwards: a start planned after a kill depends on how the container ended */
async function killSome(
  state: PodState,
  pod: Pod,
  runtime: RuntimePod,
  actions: PodActions,
  environment: PodEnvironment,
  signal: AbortSignal,
): Promise<RuntimePod> {
  const kills = actions.kill.map((kill) => {
    const container = specOf(pod, kill.name);
    const kind =
      kill.reason === 'liveness-probe' ? 'liveness' : kill.reason === 'startup-probe' ? 'startup' : undefined;
    const seconds =
      kind !== undefined && container !== undefined
        ? probeGraceSeconds(pod, probeOf(container, kind))
        : podGraceSeconds(pod);
    const { id, name, message } = kill;
    return killContainer(
      state,
      pod,
      { id, name, message, graceMs: seconds * 1000, runPreStop: true },
      environment,
      signal,
    );
  });
  await Promise.all(kills);
  return kills.length > 0 ? environment.cache.refresh(state.identity) : runtime;
}

async function trySandbox(state: PodState, pod: Pod, attempt: number, environment: PodEnvironment) {
  const { problem } = environment.network;
  if (problem !== undefined && pod.spec?.hostNetwork !== true) {
    environment.events.pod(pod, 'Warning', 'NetworkNotReady', `network is not ready: ${problem}`);
    return undefined;
  }
  try {
    return await createSandbox(pod, state.identity, attempt, environment);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    environment.logger.warn({ err: error, pod: state.identity }, 'cannot create a sandbox');
    environment.events.pod(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${message}`);
    return undefined;
  }
}

/** The pod's volumes; undefined if they cannot be made yet. Running pods get them refreshed once in a while. */
async function setUpVolumes(state: PodState, pod: Pod, environment: PodEnvironment): Promise<VolumePaths | undefined> {
  const { clock, volumes, events, logger } = environment;
  const nowMs = clock.monotonicMs();
  const first = state.volumePaths === undefined && state.volumeFailures === 0;
  try {
    state.volumePaths = await volumes.setUp(pod, first ? state.knownAtMs : Math.max(state.knownAtMs, nowMs - shareMs));
    state.volumeFailures = 0;
  } catch (error) {
    if (!(error instanceof VolumeError)) throw error;
    logger.warn({ err: error, pod: state.identity }, 'cannot bring the volumes of a pod up to date');
    events.pod(pod, 'Warning', 'FailedMount', error.message);
    if (state.volumePaths === undefined) state.volumeFailures++;
  }
  return state.volumePaths;
}

function volumeRetryMs(state: PodState): number {
  return Math.min(volumeRetryMsMin * 2 ** Math.min(state.volumeFailures - 1, 10), volumeRetryMsMax);
}

/** Ended containers and sandboxes that nobody asks for any more. */
async function removeOld(runtime: RuntimePod, environment: PodEnvironment): Promise<void> {
  const names = new Set(runtime.containers.map((container) => container.name));
  const excess = [...names]
    .flatMap((name) => runtime.containers.filter((container) => container.name === name).slice(keptPerName))
    .filter((container) => container.phase !== 'running');
  const sandboxes = runtime.sandboxes.slice(1).filter((sandbox) => !sandbox.ready);
  await Promise.all([...excess, ...sandboxes].map(({ id }) => environment.runtime.remove(id)));
}
