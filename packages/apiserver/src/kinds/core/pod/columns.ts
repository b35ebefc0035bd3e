import type { ContainerStatus, Pod, PodStatus, TableRowCondition } from '@wherry/api';
import { ageColumn, nameColumn, none, text, wide } from '../../cells.ts';
import { since } from '../../human-duration.ts';
import type { Column } from '../../strategy.ts';
import { isSidecar } from './walk.ts';

/** What the line of a pod says, worked out once for three columns. */
export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  readonly reason: string;
  readonly restarts: number;
  /** Of the container that ended last; undefined when none has restarted. */
  readonly lastRestart?: string;
}

export const podColumnList: readonly Column<Pod>[] = [
  nameColumn,
  text('Ready', (pod) => {
    const { ready, total } = podSummary(pod);
    return `${ready}/${total}`;
  }),
  text('Status', (pod) => podSummary(pod).reason),
  text('Restarts', (pod, nowMs) => {
    const { restarts, lastRestart } = podSummary(pod);
    return restarts === 0 || lastRestart === undefined
      ? String(restarts)
      : `${restarts} (${since(lastRestart, nowMs)} ago)`;
  }),
  ageColumn,
  wide(text('IP', (pod) => pod.status?.podIPs?.[0]?.ip || none)),
  wide(text('Node', (pod) => pod.spec?.nodeName || none)),
  wide(text('Nominated Node', (pod) => pod.status?.nominatedNodeName || none)),
  wide(text('Readiness Gates', readinessGates)),
];

export function podRowConditions(pod: Pod): readonly TableRowCondition[] {
  return rowConditions[pod.status?.phase ?? ''] ?? noConditions;
}

const noConditions: readonly TableRowCondition[] = [];
const rowConditions: Readonly<Record<string, readonly TableRowCondition[]>> = {
  Succeeded: [
    { type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' },
  ],
  Failed: [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }],
};

/** Stored pods are never changed in place, so a summary holds as long as its pod does. */
const summaries = new WeakMap<Pod, PodSummary>();

export function podSummary(pod: Pod): PodSummary {
  let summary = summaries.get(pod);
  if (summary === undefined) {
    summary = summarize(pod);
    summaries.set(pod, summary);
  }
  return summary;
}

interface Tally {
  ready: number;
  restarts: number;
  lastRestart: string | undefined;
  reason: string;
}

function summarize(pod: Pod): PodSummary {
  const status = pod.status ?? {};
  const sidecars = (pod.spec?.initContainers ?? []).filter(isSidecar).length;
  const total = (pod.spec?.containers ?? []).length + sidecars;
  const initial = tallyInit(pod, phaseReason(status));
  let tally = initial.all;
  if (!initial.isInitializing || isTrue(status, 'Initialized')) {
    tally = tallyContainers(status, { ...initial.all, ...initial.sidecars });
  }
  const reason = deletionReason(pod) ?? tally.reason;
  const { ready, restarts, lastRestart } = tally;
  return { ready, total, reason, restarts, ...(lastRestart === undefined ? {} : { lastRestart }) };
}

function phaseReason(status: PodStatus): string {
  const isGated = (status.conditions ?? []).some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  if (isGated) return 'SchedulingGated';
  return status.reason || (status.phase ?? '');
}

/**
 * Init containers in their order, up to the first that is not done. `all` counts every restart so far and is what is
 * shown while the pod starts; once it has started, only `sidecars` still count.
 */
function tallyInit(
  pod: Pod,
  reason: string,
): { isInitializing: boolean; all: Tally; sidecars: Pick<Tally, 'restarts' | 'lastRestart'> } {
  const all: Tally = { ready: 0, restarts: 0, lastRestart: undefined, reason };
  const sidecars: Pick<Tally, 'restarts' | 'lastRestart'> = { restarts: 0, lastRestart: undefined };
  const containers = new Map((pod.spec?.initContainers ?? []).map((container) => [container.name, container]));
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const isSide = isSidecar(containers.get(status.name));
    countRestarts(all, status);
    if (isSide) countRestarts(sidecars, status);
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSide && status.started === true) {
      if (status.ready) all.ready++;
      continue;
    }
    if (terminated !== undefined) all.reason = `Init:${endReason(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') all.reason = `Init:${waiting.reason}`;
    else all.reason = `Init:${index}/${containers.size}`;
    return { isInitializing: true, all, sidecars };
  }
  return { isInitializing: false, all, sidecars };
}

function tallyContainers(status: PodStatus, start: Tally): Tally {
  const tally = { ...start };
  let hasRunning = false;
  for (const container of (status.containerStatuses ?? []).toReversed()) {
    countRestarts(tally, container);
    const { running, terminated, waiting } = container.state ?? {};
    if (waiting?.reason) tally.reason = waiting.reason;
    else if (terminated !== undefined) tally.reason = endReason(terminated);
    else if (container.ready && running !== undefined) {
      hasRunning = true;
      tally.ready++;
    }
  }
  // One container is done while another goes on: the pod as a whole has not completed.
  if (tally.reason === 'Completed' && hasRunning) tally.reason = isTrue(status, 'Ready') ? 'Running' : 'NotReady';
  return tally;
}

function deletionReason(pod: Pod): string | undefined {
  if (pod.metadata?.deletionTimestamp === undefined) return undefined;
  if (pod.status?.reason === 'NodeLost') return 'Unknown';
  const phase = pod.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed' ? undefined : 'Terminating';
}

function countRestarts(tally: Pick<Tally, 'restarts' | 'lastRestart'>, status: ContainerStatus): void {
  tally.restarts += status.restartCount;
  const ended = status.lastState?.terminated?.finishedAt;
  if (!ended) return;
  if (tally.lastRestart === undefined || Date.parse(ended) > Date.parse(tally.lastRestart)) tally.lastRestart = ended;
}

function endReason(terminated: {
  readonly reason?: string;
  readonly signal?: number;
  readonly exitCode: number;
}): string {
  if (terminated.reason) return terminated.reason;
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

function isTrue(status: PodStatus, type: string): boolean {
  return (status.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return none;
  const conditions = pod.status?.conditions ?? [];
  const open = gates.filter(
    (gate) => conditions.find((condition) => condition.type === gate.conditionType)?.status === 'True',
  );
  return `${open.length}/${gates.length}`;
}
