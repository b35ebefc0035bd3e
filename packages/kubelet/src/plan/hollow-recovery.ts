// A hollow node's memory is the API: what its pods show is what runs. So a process that was killed goes on where it
// stopped, and restarts nothing.
import type { Container, ContainerStateTerminated, ContainerStatus, Pod } from '@wherry/api';
import { fromApiTime } from './api-time.ts';
import { defaultBackoff } from './backoff.ts';
import { containerHash } from './container-hash.ts';
import type { RuntimeContainer, RuntimePod } from './runtime-state.ts';
import { podGraceSeconds } from './termination.ts';

function bareId(containerId: string): string {
  return containerId.slice(containerId.indexOf('://') + 3);
}

/** The back-off that was in force when this attempt began. */
function backoffBefore(attempt: number): number {
  if (attempt === 0) return 0;
  return Math.min(defaultBackoff.initialMs * 2 ** Math.min(attempt - 1, 30), defaultBackoff.maxMs);
}

function ended(base: RuntimeContainer, terminated: ContainerStateTerminated): RuntimeContainer {
  const startedAtMs = fromApiTime(terminated.startedAt ?? '') ?? base.createdAtMs;
  return {
    ...base,
    id: bareId(terminated.containerID ?? ''),
    phase: 'exited',
    createdAtMs: startedAtMs,
    startedAtMs,
    finishedAtMs: fromApiTime(terminated.finishedAt ?? '') ?? startedAtMs,
    exitCode: terminated.exitCode,
    ...(terminated.reason !== undefined && { reason: terminated.reason }),
    ...(terminated.message !== undefined && { message: terminated.message }),
  };
}

function containersOf(pod: Pod, spec: Container, status: ContainerStatus, sandboxId: string): RuntimeContainer[] {
  const { containerID, state, lastState, restartCount } = status;
  if (containerID === undefined) return [];
  const base: RuntimeContainer = {
    id: bareId(containerID),
    podUid: pod.metadata?.uid ?? '',
    name: spec.name,
    attempt: restartCount,
    specHash: containerHash(spec),
    phase: 'created',
    createdAtMs: fromApiTime(pod.status?.startTime ?? '') ?? 0,
    image: status.image,
    imageId: status.imageID,
    sandboxId,
    backoffMs: backoffBefore(restartCount),
    graceSeconds: podGraceSeconds(pod),
  };
  const before = lastState?.terminated;
  const previous = { ...base, attempt: restartCount - 1, backoffMs: backoffBefore(restartCount - 1) };
  if (state?.running !== undefined) {
    const startedAtMs = fromApiTime(state.running.startedAt ?? '') ?? base.createdAtMs;
    const now: RuntimeContainer = { ...base, phase: 'running', createdAtMs: startedAtMs, startedAtMs };
    return before?.containerID === undefined || restartCount === 0 ? [now] : [now, ended(previous, before)];
  }
  if (state?.terminated?.containerID !== undefined) return [ended(base, state.terminated)];
  // It waits to be started again: its last run is the newest there is.
  return before?.containerID === undefined ? [] : [ended(base, before)];
}

/** What runs of a pod as its status says; undefined if nothing of it does, or never will again. */
export function recoveredPod(pod: Pod): RuntimePod | undefined {
  const { uid = '', name = '', namespace = '' } = pod.metadata ?? {};
  const { phase, podIP } = pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') return undefined;
  const sandboxId = uid.replaceAll('-', '').repeat(2);
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const specs = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const containers = specs.flatMap((spec) => {
    const status = statuses.find((one) => one.name === spec.name);
    return status === undefined ? [] : containersOf(pod, spec, status, sandboxId);
  });
  const hostNetwork = pod.spec?.hostNetwork === true;
  if (containers.length === 0 && (podIP === undefined || hostNetwork)) return undefined;
  const sandbox = {
    id: sandboxId,
    podUid: uid,
    attempt: 0,
    ready: true,
    createdAtMs: fromApiTime(pod.status?.startTime ?? '') ?? 0,
    hostNetwork,
    pid: 1,
    ...(!hostNetwork && podIP !== undefined && { ip: podIP }),
  };
  return { uid, name, namespace, sandboxes: [sandbox], containers };
}
