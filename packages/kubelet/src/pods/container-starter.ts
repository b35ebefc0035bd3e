// Starts one container of a pod: back-off, image, creation, start, postStart. Each way to fail has upstream's reason.
import type { Container, Pod } from '@wherry/api';
import { formatDuration } from '@wherry/daemon';
import { backoffLeftMs, nextBackoff } from '../plan/backoff.ts';
import { containerHash } from '../plan/container-hash.ts';
import { ContainerConfigError } from '../plan/environment.ts';
import { latestContainer, type RuntimeContainer, type RuntimePod } from '../plan/runtime-state.ts';
import { podGraceSeconds } from '../plan/termination.ts';
import { RuntimeError } from '../runtime/port.ts';
import type { VolumePaths } from '../volumes/pod-volumes.ts';
import { containerSpec } from './container-spec.ts';
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

function crashEntry(previous: RuntimeContainer, container: Container) {
  // A changed container begins anew.
  if (previous.backoffMs === 0 || previous.specHash !== containerHash(container)) return undefined;
  return { backoffMs: previous.backoffMs, updatedAtMs: previous.createdAtMs };
}

export async function startContainer(
  state: PodState,
  inputs: StartInputs,
  environment: PodEnvironment,
  signal: AbortSignal,
): Promise<StartOutcome> {
  const { pod, container } = inputs;
  const { clock, events, puller } = environment;
  const previous = latestContainer(inputs.runtime, container.name);
  const exited = previous?.phase === 'exited' ? previous : undefined;
  const fail = (reason: string, message: string, retryAfterMs: number): StartOutcome => {
    state.startFailures.set(container.name, { reason, message });
    return { kind: 'failed', retryAfterMs };
  };
  const nowMs = clock.now();
  const failedAtMs = exited?.finishedAtMs ?? nowMs;
  const entry = exited === undefined ? undefined : crashEntry(exited, container);
  const leftMs = backoffLeftMs(entry, failedAtMs, nowMs);
  if (entry !== undefined && leftMs > 0) {
    const where = `container ${container.name} in pod ${podDescription(pod)}`;
    events.container(pod, container.name, 'Warning', 'BackOff', `Back-off restarting failed ${where}`);
    const message = `back-off ${formatDuration(entry.backoffMs)} restarting failed container=${container.name} pod=${podDescription(pod)}`;
    return fail('CrashLoopBackOff', message, leftMs);
  }
  const image = await puller.ensure(pod, container, signal);
  if (image.kind === 'failed') {
    if (state.startFailures.get(container.name)?.reason !== image.failure.reason) {
      events.container(pod, container.name, 'Warning', 'Failed', `Error: ${image.failure.reason}`);
    }
    return fail(image.failure.reason, image.failure.message, image.retryAfterMs);
  }
  const backoffMs = exited === undefined ? 0 : nextBackoff(entry, failedAtMs, nowMs).backoffMs;
  let id: string;
  try {
    const known = pod.status?.containerStatuses?.find((status) => status.name === container.name);
    const attempt =
      previous === undefined ? (known?.containerID === undefined ? 0 : known.restartCount + 1) : previous.attempt + 1;
    const { image: facts, reference: imageReference } = image;
    const spec = await containerSpec(
      {
        ...inputs,
        attempt,
        backoffMs,
        image: facts,
        imageReference,
        notOlderThanMs: notOlderThan(state, container, environment),
      },
      environment.specs,
    );
    signal.throwIfAborted();
    id = await environment.runtime.createContainer(spec);
  } catch (error) {
    if (signal.aborted) throw error;
    const message = error instanceof Error ? error.message : String(error);
    events.container(pod, container.name, 'Warning', 'Failed', `Error: ${message}`);
    const refused = error instanceof RuntimeError;
    if (!refused && !(error instanceof ContainerConfigError)) throw error;
    return fail(refused ? 'CreateContainerError' : 'CreateContainerConfigError', message, retryMs);
  }
  events.container(pod, container.name, 'Normal', 'Created', 'Container created');
  try {
    await environment.runtime.startContainer(id);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    events.container(pod, container.name, 'Warning', 'Failed', `Error: ${error.message}`);
    return fail('RunContainerError', error.message, startRetryMs);
  }
  events.container(pod, container.name, 'Normal', 'Started', 'Container started');
  state.startFailures.delete(container.name);
  return postStart(state, inputs, id, environment, signal);
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
