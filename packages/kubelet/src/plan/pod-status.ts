// The whole status of a pod, and the patch that brings the API's copy to it.
import type { Container, Pod, PodStatus } from '@wherry/api';
import { apiTime } from './api-time.ts';
import { type ContainerStatuses, containerStatuses, type StartFailure } from './container-status.ts';
import { podConditions } from './pod-conditions.ts';
import { type PodPhase, podPhase } from './pod-phase.ts';
import type { ProbeVerdicts } from './probe-verdicts.ts';
import { qosClass } from './qos.ts';
import { isRestartableInit } from './restart.ts';
import { latestContainer, type RuntimePod, readySandbox } from './runtime-state.ts';

export interface PodStatusInputs {
  /** Scheme of container ids: `docker`, `hollow`. */
  readonly runtimeName: string;
  readonly runtime: RuntimePod;
  readonly probes: ProbeVerdicts;
  readonly startFailures: ReadonlyMap<string, StartFailure>;
  /** Set once the pod will never start a container again. */
  readonly terminal: boolean;
  /** Why the kubelet itself ended the pod, for example `DeadlineExceeded`. */
  readonly verdict?: { readonly reason: string; readonly message: string };
  readonly hostIp: string;
  readonly nowMs: number;
}

function initDone(pod: Pod, runtime: RuntimePod): boolean {
  const regular = pod.spec?.containers ?? [];
  const begun = regular.some((container) => latestContainer(runtime, container.name) !== undefined);
  if (begun) return true;
  return (pod.spec?.initContainers ?? []).every((container: Container) => {
    const latest = latestContainer(runtime, container.name);
    if (isRestartableInit(container)) return latest?.phase === 'running';
    return latest?.phase === 'exited' && latest.exitCode === 0;
  });
}

function wasTerminal(pod: Pod): PodPhase | undefined {
  const phase = pod.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed' ? phase : undefined;
}

/** A pod that has ended is not waiting for anything any more: show the last run instead of the back-off. */
function settled(statuses: ContainerStatuses, terminal: boolean): ContainerStatuses {
  if (!terminal) return statuses;
  const settle = (list: ContainerStatuses['regular']) =>
    list.map((status) => {
      const last = status.lastState?.terminated;
      if (status.state?.waiting === undefined || last === undefined) return status;
      return { ...status, state: { terminated: last }, lastState: {} };
    });
  return { init: settle(statuses.init), regular: settle(statuses.regular) };
}

/** What the kubelet says about the pod; fields of others (`nominatedNodeName`, foreign conditions) are not in it. */
export function podStatus(pod: Pod, inputs: PodStatusInputs): PodStatus {
  const { runtime, nowMs } = inputs;
  const initialized = initDone(pod, runtime);
  const statuses = settled(containerStatuses(pod, { ...inputs, initialized }), inputs.terminal);
  // A phase that says the end is never taken back.
  const phase =
    wasTerminal(pod) ??
    (inputs.verdict !== undefined ? 'Failed' : podPhase(pod, { ...statuses, terminal: inputs.terminal, initialized }));
  const sandbox = readySandbox(runtime);
  const conditions = podConditions(pod, { phase, ...statuses, sandboxReady: sandbox !== undefined, nowMs });
  const hostNetwork = pod.spec?.hostNetwork === true;
  const ip = sandbox === undefined ? undefined : hostNetwork ? inputs.hostIp : sandbox.ip;
  // A pod keeps showing the last address it had.
  const podIp = ip ?? pod.status?.podIP;
  return {
    phase,
    conditions,
    hostIP: inputs.hostIp,
    hostIPs: [{ ip: inputs.hostIp }],
    ...(podIp !== undefined && podIp !== '' && { podIP: podIp, podIPs: [{ ip: podIp }] }),
    startTime: pod.status?.startTime ?? apiTime(nowMs),
    qosClass: pod.status?.qosClass ?? qosClass(pod),
    ...(statuses.init.length > 0 && { initContainerStatuses: statuses.init }),
    containerStatuses: statuses.regular,
    ...(pod.metadata?.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    ...(inputs.verdict !== undefined && { reason: inputs.verdict.reason, message: inputs.verdict.message }),
  };
}

/**
 * The pod as if the API had our last report already: what it shows is the base of the next status, so that times of
 * change survive a slow or absent API server.
 */
export function withReported(pod: Pod, reported: PodStatus | undefined): Pod {
  if (reported === undefined) return pod;
  const foreign = (pod.status?.conditions ?? []).filter(
    (one) => !reported.conditions?.some(({ type }) => type === one.type),
  );
  return { ...pod, status: { ...pod.status, ...reported, conditions: [...(reported.conditions ?? []), ...foreign] } };
}

/** Equality of plain JSON values, whatever the order of their keys. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const leftEntries = Object.entries(left).filter(([, value]) => value !== undefined);
  const rightMap = new Map(Object.entries(right).filter(([, value]) => value !== undefined));
  if (leftEntries.length !== rightMap.size) return false;
  return leftEntries.every(([key, value]) => rightMap.has(key) && sameJson(value, rightMap.get(key)));
}

/** The fields of `next` that differ from what the API has; undefined when there is nothing to write. */
export function statusPatch(current: PodStatus | undefined, next: PodStatus): Partial<PodStatus> | undefined {
  const changed: Record<string, unknown> = {};
  const known = new Map<string, unknown>(Object.entries(current ?? {}));
  for (const [key, value] of Object.entries(next)) {
    if (key === 'conditions') continue;
    if (sameJson(known.get(key), value)) continue;
    changed[key] = key === 'podIPs' || key === 'hostIPs' ? replaceAddresses(current?.[key], next[key]) : value;
  }
  const conditions = (next.conditions ?? []).filter((condition) => {
    const old = current?.conditions?.find((one) => one.type === condition.type);
    return !sameJson(dropNulls(old), dropNulls(condition));
  });
  if (conditions.length > 0) {
    // A strategic merge keeps what is not mentioned: a reason that is gone has to be taken back explicitly.
    changed['conditions'] = conditions.map((condition) => ({
      ...condition,
      ...goneFields(current, condition.type, condition),
    }));
  }
  return Object.keys(changed).length === 0 ? undefined : changed;
}

/** A strategic merge joins these lists by address: the old ones must be taken out by name. */
function replaceAddresses(
  old: readonly { readonly ip?: string }[] = [],
  next: readonly { readonly ip?: string }[] = [],
): readonly object[] {
  const gone = old.filter(({ ip }) => !next.some((one) => one.ip === ip));
  return [...gone.map(({ ip }) => ({ ip, $patch: 'delete' })), ...next];
}

function dropNulls(value: object | undefined): object | undefined {
  if (value === undefined) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null && field !== undefined));
}

function goneFields(current: PodStatus | undefined, type: string, condition: object): Record<string, null> {
  const old = current?.conditions?.find((one) => one.type === type);
  const gone = ['reason', 'message'].filter((key) => Object.hasOwn(old ?? {}, key) && !Object.hasOwn(condition, key));
  return Object.fromEntries(gone.map((key) => [key, null]));
}
