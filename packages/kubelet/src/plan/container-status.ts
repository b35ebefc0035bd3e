// The API's container statuses, made from what the runtime says, what the API last knew, and why the last start failed.
import type { Container, ContainerState, ContainerStatus, Pod } from '@wherry/api';
import { apiTime } from './api-time.ts';
import type { ProbeVerdicts } from './probe-verdicts.ts';
import { initContainerRestartsAfter, isRestartableInit, shouldContainerBeStarted } from './restart.ts';
import { latestContainer, type RuntimeContainer, type RuntimePod } from './runtime-state.ts';

/** Why a container could not be started; shown as its waiting state until it runs. */
export interface StartFailure {
  /** `ErrImagePull`, `ImagePullBackOff`, `CrashLoopBackOff`, `CreateContainerConfigError`, … */
  readonly reason: string;
  readonly message: string;
}

export interface StatusInputs {
  /** Scheme of container ids: `docker`, `hollow`. */
  readonly runtimeName: string;
  readonly runtime: RuntimePod;
  readonly probes: ProbeVerdicts;
  /** By container name. */
  readonly startFailures: ReadonlyMap<string, StartFailure>;
  /** Whether all init containers have done their part. */
  readonly initialized: boolean;
}

function stateOf(container: RuntimeContainer, runtimeName: string): ContainerState {
  const containerID = `${runtimeName}://${container.id}`;
  switch (container.phase) {
    case 'created':
      return { waiting: {} };
    case 'unknown':
      return {
        terminated: {
          exitCode: 137,
          reason: 'ContainerStatusUnknown',
          message: 'The container could not be located when the pod was terminated',
          containerID,
        },
      };
    case 'running':
      return { running: { startedAt: apiTime(container.startedAtMs ?? container.createdAtMs) } };
    case 'exited':
      return {
        terminated: {
          exitCode: container.exitCode ?? 0,
          reason: container.reason ?? (container.exitCode === 0 ? 'Completed' : 'Error'),
          ...(container.message !== undefined && container.message !== '' && { message: container.message }),
          startedAt: apiTime(container.startedAtMs ?? container.createdAtMs),
          finishedAt: apiTime(container.finishedAtMs ?? container.createdAtMs),
          containerID,
        },
      };
  }
}

const lost = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was deleted.  The container used to be Running',
};

/** A container that the runtime does not have: not begun yet, or lost. */
function absentStatus(
  pod: Pod,
  container: Container,
  isInit: boolean,
  old: ContainerStatus | undefined,
  inputs: StatusInputs,
): ContainerStatus {
  const hasInit = (pod.spec?.initContainers ?? []).length > 0;
  const reason = hasInit ? 'PodInitializing' : 'ContainerCreating';
  const base = {
    name: container.name,
    image: container.image ?? '',
    imageID: old?.imageID ?? '',
    ready: false,
    restartCount: old?.restartCount ?? 0,
    ...(old?.lastState !== undefined && { lastState: old.lastState }),
  };
  if (old?.state?.terminated !== undefined) return { ...old, ready: old.ready && isInit };
  if (isInit && inputs.initialized && !isRestartableInit(container)) {
    const message = 'Unable to get init container status from container runtime and pod has been initialized';
    return { ...base, ready: true, state: { terminated: { reason: 'Completed', message, exitCode: 0 } } };
  }
  if (old?.state?.running !== undefined) {
    const deleted = pod.metadata?.deletionTimestamp !== undefined;
    return {
      ...base,
      restartCount: base.restartCount + (deleted ? 0 : 1),
      state: { waiting: { reason } },
      lastState: { terminated: lost },
    };
  }
  return { ...base, state: { waiting: { reason } } };
}

function presentStatus(container: Container, latest: RuntimeContainer, inputs: StatusInputs): ContainerStatus {
  const { runtime, runtimeName } = inputs;
  const previous = runtime.containers.find((other) => other.name === latest.name && other.id !== latest.id);
  const previousState = previous === undefined ? {} : stateOf(previous, runtimeName);
  return {
    name: container.name,
    image: latest.image,
    imageID: latest.imageId,
    containerID: `${runtimeName}://${latest.id}`,
    ready: false,
    restartCount: latest.attempt,
    state: stateOf(latest, runtimeName),
    lastState: previousState,
    ...(container.resources !== undefined && { resources: container.resources }),
    ...(container.resources?.requests !== undefined && { allocatedResources: container.resources.requests }),
    ...(container.volumeMounts !== undefined && {
      volumeMounts: container.volumeMounts.map((mount) => ({
        name: mount.name,
        mountPath: mount.mountPath,
        ...(mount.readOnly === true && { readOnly: true, recursiveReadOnly: 'Disabled' }),
      })),
    }),
  };
}

function withStartFailure(
  pod: Pod,
  container: Container,
  isInit: boolean,
  status: ContainerStatus,
  inputs: StatusInputs,
) {
  const failure = inputs.startFailures.get(container.name);
  if (failure === undefined || !shouldContainerBeStarted(pod, container, inputs.runtime)) return status;
  const latest = latestContainer(inputs.runtime, container.name);
  const exited = latest?.phase === 'exited';
  if (isInit && exited && !isRestartableInit(container)) {
    if (!initContainerRestartsAfter(pod, container, latest.exitCode ?? 1)) return status;
  }
  return {
    ...status,
    ...(status.state?.terminated !== undefined && { lastState: status.state }),
    state: { waiting: { reason: failure.reason, message: failure.message } },
  };
}

function startedOf(container: Container, latest: RuntimeContainer | undefined, probes: ProbeVerdicts): boolean {
  if (latest?.phase !== 'running') return false;
  return container.startupProbe === undefined || probes.startup(latest.id) === 'success';
}

function readyOf(container: Container, latest: RuntimeContainer | undefined, probes: ProbeVerdicts): boolean {
  if (latest === undefined || !startedOf(container, latest, probes)) return false;
  return container.readinessProbe === undefined || probes.readiness(latest.id) === 'success';
}

function statusOf(
  pod: Pod,
  container: Container,
  isInit: boolean,
  old: ContainerStatus | undefined,
  inputs: StatusInputs,
): ContainerStatus {
  const latest = latestContainer(inputs.runtime, container.name);
  const base =
    latest === undefined ? absentStatus(pod, container, isInit, old, inputs) : presentStatus(container, latest, inputs);
  const status = withStartFailure(pod, container, isInit, base, inputs);
  if (isInit && !isRestartableInit(container)) {
    const done = status.state?.terminated?.exitCode === 0;
    return { ...status, ready: done, started: status.state?.running !== undefined };
  }
  const started = startedOf(container, latest, inputs.probes);
  return { ...status, ready: readyOf(container, latest, inputs.probes), started };
}

export interface ContainerStatuses {
  readonly init: readonly ContainerStatus[];
  readonly regular: readonly ContainerStatus[];
}

/** Statuses of all containers of the pod in the order of the spec. */
export function containerStatuses(pod: Pod, inputs: StatusInputs): ContainerStatuses {
  const oldOf = (list: readonly ContainerStatus[] | undefined, name: string) => list?.find((old) => old.name === name);
  return {
    init: (pod.spec?.initContainers ?? []).map((container) =>
      statusOf(pod, container, true, oldOf(pod.status?.initContainerStatuses, container.name), inputs),
    ),
    regular: (pod.spec?.containers ?? []).map((container) =>
      statusOf(pod, container, false, oldOf(pod.status?.containerStatuses, container.name), inputs),
    ),
  };
}
