import { type ContainerStatus, isPodReady, type Pod } from '@wherry/api';
import { readySinceMs, timeMs } from './readiness.ts';

/** Annotation by which a user says which pod of a set is cheaper to lose. */
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

/** A pod and how many active pods of the same family share its node. */
export interface RankedPod {
  readonly pod: Pod;
  readonly rank: number;
}

const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * Chooses which active pods a set gives up, in upstream's order: those that cost least to lose first. Ages are
 * compared on a logarithmic scale, so that among pods of similar age the choice is spread and not always the newest.
 */
export function podsToDelete(active: readonly Pod[], related: readonly Pod[], count: number, nowMs: number): Pod[] {
  if (count >= active.length) return [...active];
  const onNode = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec?.nodeName;
    if (node !== undefined && node !== '') onNode.set(node, (onNode.get(node) ?? 0) + 1);
  }
  const ranked = active.map((pod) => ({ pod, rank: onNode.get(pod.spec?.nodeName ?? '') ?? 0 }));
  ranked.sort((left, right) => compareForDeletion(left, right, nowMs));
  return ranked.slice(0, count).map((entry) => entry.pod);
}

/** Negative when `left` should go before `right`. */
export function compareForDeletion(left: RankedPod, right: RankedPod, nowMs: number): number {
  const steps: readonly (() => number)[] = [
    () => Number(isAssigned(left.pod)) - Number(isAssigned(right.pod)),
    () => phaseOrder(left.pod) - phaseOrder(right.pod),
    () => Number(isPodReady(left.pod)) - Number(isPodReady(right.pod)),
    () => deletionCost(left.pod) - deletionCost(right.pod),
    () => right.rank - left.rank,
    () => compareReadyTime(left.pod, right.pod, nowMs),
    () => restarts(right.pod, false) - restarts(left.pod, false),
    () => restarts(right.pod, true) - restarts(left.pod, true),
    () => compareAge(createdMs(left.pod), createdMs(right.pod), left.pod, right.pod, nowMs),
  ];
  for (const step of steps) {
    const order = step();
    if (order !== 0) return order;
  }
  return 0;
}

function compareReadyTime(left: Pod, right: Pod, nowMs: number): number {
  if (!isPodReady(left) || !isPodReady(right)) return 0;
  return compareAge(readySinceMs(left), readySinceMs(right), left, right, nowMs);
}

/** Younger first by power of two of the age; same power: by uid, which is as good as random. */
function compareAge(
  left: number | undefined,
  right: number | undefined,
  leftPod: Pod,
  rightPod: Pod,
  nowMs: number,
): number {
  if (left === right) return 0;
  const order = agePower(left, nowMs) - agePower(right, nowMs);
  if (order !== 0) return order;
  return (leftPod.metadata?.uid ?? '') < (rightPod.metadata?.uid ?? '') ? -1 : 1;
}

function agePower(sinceMs: number | undefined, nowMs: number): number {
  // Upstream measures in nanoseconds; a missing or future time counts as just now.
  if (sinceMs === undefined || sinceMs >= nowMs) return -1;
  return Math.floor(Math.log2((nowMs - sinceMs) * 1e6));
}

function isAssigned(pod: Pod): boolean {
  return (pod.spec?.nodeName ?? '') !== '';
}

function phaseOrder(pod: Pod): number {
  return PHASE_ORDER[pod.status?.phase ?? 'Pending'] ?? 0;
}

/** An unreadable cost counts as none. */
function deletionCost(pod: Pod): number {
  const text = pod.metadata?.annotations?.[DELETION_COST];
  if (text === undefined || !/^-?(0|[1-9]\d*)$/.test(text)) return 0;
  return Number(text);
}

/** The most restarts of any container, or of any restartable init container (`sidecars`). */
function restarts(pod: Pod, sidecars: boolean): number {
  const statuses: readonly ContainerStatus[] = sidecars
    ? (pod.status?.initContainerStatuses ?? []).filter((status) =>
        pod.spec?.initContainers?.some((init) => init.name === status.name && init.restartPolicy === 'Always'),
      )
    : (pod.status?.containerStatuses ?? []);
  return statuses.reduce((most, status) => Math.max(most, status.restartCount), 0);
}

function createdMs(pod: Pod): number | undefined {
  return timeMs(pod.metadata?.creationTimestamp);
}
