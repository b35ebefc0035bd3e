// Starts one container of a pod: back-off, image, creation, start, postStart. Each way to fail has upstream's reason.
import type { Container, Pod } from '@wherry/api';
import { formatDuration } from '@wherry/daemon';
import { type BackoffEntry, backoffLeftMs, nextBackoff } from '../plan/backoff.ts';
import { containerHash } from '../plan/container-hash.ts';
import type { StartFailure } from '../plan/container-status.ts';
import { ContainerConfigError } from '../plan/environment.ts';
import { latestContainer, type RuntimeContainer, type RuntimePod } from '../plan/runtime-state.ts';
import { podGraceSeconds } from '../plan/termination.ts';
import { RuntimeError } from '../runtime/port.ts';
import type { VolumePaths } from '../volumes/pod-volumes.ts';
import type { ContainerInputs } from './container-spec.ts';
import { runHook } from './lifecycle-hooks.ts';
import { orAborted, type PodEnvironment, type PodState } from './pod-environment.ts';
import { podDescription } from './pod-events.ts';
import { killContainer } from './pod-termination.ts';

export interface StartInputs {
  readonly pod: Pod;
  readonly container: Container;
  readonly runtime: RuntimePod;
  readonly sandboxId: string;
  readonly podIp: string;
  readonly volumes: VolumePaths;
}

export type StartOutcome = { readonly kind: 'started' } | { readonly kind: 'failed'; readonly retryAfterMs: number };

/** Waiting time before something that failed is looked at again (upstream's backOffPeriod). */
const retryMs = 10_000;
/** A container that failed to start is a crash at once; its back-off takes over then. */
const startRetryMs = 1_000;
/** Upstream gives a postStart hook no limit of its own. */
const postStartMsMax = 3_600_000;

/** Back-off of the run that ended last, as its label says; a changed container begins anew. */
function crashEntry(previous: RuntimeContainer, container: Container): BackoffEntry | undefined {
  if (previous.backoffMs === 0 || previous.specHash !== containerHash(container)) return undefined;
  return { backoffMs: previous.backoffMs, updatedAtMs: previous.createdAtMs };
}

function fail(state: PodState, name: string, failure: StartFailure, retryAfterMs: number): StartOutcome {
  state.startFailures.set(name, failure);
  return { kind: 'failed', retryAfterMs };
}

export async function startContainer(
  state: PodState,
  inputs: StartInputs,
  environment: PodEnvironment,
  signal: AbortSignal,
): Promise<StartOutcome> {
  const { pod, container } = inputs;
  const { name } = container;
  const { clock, events, puller } = environment;
  const previous = latestContainer(inputs.runtime, name);
  const exited = previous?.phase === 'exited' ? previous : undefined;
  const nowMs = clock.now();
  const failedAtMs = exited?.finishedAtMs ?? nowMs;
  const entry = exited === undefined ? undefined : crashEntry(exited, container);
  const leftMs = backoffLeftMs(entry, failedAtMs, nowMs);
  if (entry !== undefined && leftMs > 0) {
    const where = podDescription(pod);
    events.container(pod, name, 'Warning', 'BackOff', `Back-off restarting failed container ${name} in pod ${where}`);
    const message = `back-off ${formatDuration(entry.backoffMs)} restarting failed container=${name} pod=${where}`;
    return fail(state, name, { reason: 'CrashLoopBackOff', message }, leftMs);
  }
  const image = await puller.ensure(pod, container, signal);
  if (image.kind === 'failed') {
    if (state.startFailures.get(name)?.reason !== image.failure.reason) {
      events.container(pod, name, 'Warning', 'Failed', `Error: ${image.failure.reason}`);
    }
    return fail(state, name, image.failure, image.retryAfterMs);
  }
  const backoffMs = exited === undefined ? 0 : nextBackoff(entry, failedAtMs, nowMs).backoffMs;
  const attempt = nextAttempt(pod, name, previous);
  const created = await create(
    state,
    { ...inputs, attempt, backoffMs, image: image.image, imageReference: image.reference },
    environment,
    signal,
  );
  if (typeof created !== 'string') return created;
  events.container(pod, name, 'Normal', 'Created', 'Container created');
  try {
    await environment.runtime.startContainer(created);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    events.container(pod, name, 'Warning', 'Failed', `Error: ${error.message}`);
    return fail(state, name, { reason: 'RunContainerError', message: error.message }, startRetryMs);
  }
  events.container(pod, name, 'Normal', 'Started', 'Container started');
  state.startFailures.delete(name);
  return postStart(state, inputs, created, environment, signal);
}

/** The count goes on from what the API shows when the runtime has lost every earlier run. */
function nextAttempt(pod: Pod, name: string, previous: RuntimeContainer | undefined): number {
  if (previous !== undefined) return previous.attempt + 1;
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const known = statuses.find((status) => status.name === name);
  return known?.containerID === undefined ? 0 : known.restartCount + 1;
}

/** @returns the id of the new container, or how it failed */
async function create(
  state: PodState,
  inputs: Omit<ContainerInputs, 'notOlderThanMs'>,
  environment: PodEnvironment,
  signal: AbortSignal,
): Promise<string | StartOutcome> {
  const { pod, container } = inputs;
  try {
    const notOlderThanMs = notOlderThan(state, container, environment);
    const spec = await environment.makeSpec({ ...inputs, notOlderThanMs });
    signal.throwIfAborted();
    return await environment.runtime.createContainer(spec);
  } catch (error) {
    if (signal.aborted) throw error;
    const message = error instanceof Error ? error.message : String(error);
    environment.events.container(pod, container.name, 'Warning', 'Failed', `Error: ${message}`);
    const refused = error instanceof RuntimeError;
    if (!refused && !(error instanceof ContainerConfigError)) throw error;
    const reason = refused ? 'CreateContainerError' : 'CreateContainerConfigError';
    return fail(state, container.name, { reason, message }, retryMs);
  }
}

/** References of a first try must be newer than the pod; of a later one, newer than the failure. */
function notOlderThan(state: PodState, container: Container, environment: PodEnvironment): number {
  return state.startFailures.has(container.name) ? environment.clock.monotonicMs() : state.knownAtMs;
}

async function postStart(
  state: PodState,
  inputs: StartInputs,
  id: string,
  environment: PodEnvironment,
  signal: AbortSignal,
): Promise<StartOutcome> {
  const { pod, container, podIp } = inputs;
  const hook = container.lifecycle?.postStart;
  if (hook === undefined) return { kind: 'started' };
  try {
    const work = runHook(
      hook,
      { container, containerId: id, podIp },
      { timeoutMs: postStartMsMax, signal },
      environment,
    );
    await orAborted(work, signal);
    return { kind: 'started' };
  } catch (error) {
    if (signal.aborted) throw error;
    const message = error instanceof Error ? error.message : String(error);
    environment.events.container(
      pod,
      container.name,
      'Warning',
      'FailedPostStartHook',
      `PostStartHook failed: ${message}`,
    );
    const kill = {
      id,
      name: container.name,
      message: 'FailedPostStartHook',
      graceMs: podGraceSeconds(pod) * 1000,
      runPreStop: false,
    };
    await killContainer(state, pod, kill, environment, signal);
    state.startFailures.set(container.name, {
      reason: 'PostStartHookError',
      message: `PostStartHook failed: ${message}`,
    });
    return { kind: 'failed', retryAfterMs: startRetryMs };
  }
}
