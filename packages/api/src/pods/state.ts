// Questions that more than one component asks about a pod.
import type { Container, Pod, PodSpec } from '../generated/types.ts';
import { getCondition, isConditionTrue } from '../meta/conditions.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** Succeeded and Failed pods never run again. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isPodReady(pod: Pod): boolean {
  return isConditionTrue(pod.status?.conditions, 'Ready');
}

/** Neither finished nor being deleted: what controllers count as theirs. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata?.deletionTimestamp === undefined;
}

/** Ready without interruption for the given time. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  if (!isPodReady(pod)) return false;
  const since = getCondition(pod.status?.conditions, 'Ready')?.lastTransitionTime;
  return minReadySeconds === 0 || (since !== undefined && Date.parse(since) + minReadySeconds * 1000 <= nowMs);
}

/** Sidecars included. */
export function allContainers(spec: PodSpec | undefined): readonly Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** Only CPU and memory count; requests default to limits before this is asked. */
export function podQosClass(pod: Pod): QosClass {
  if (pod.status?.qosClass !== undefined) return pod.status.qosClass as QosClass;
  const whole = pod.spec?.resources;
  const holders =
    whole?.requests !== undefined || whole?.limits !== undefined ? [{ resources: whole }] : allContainers(pod.spec);
  let any = false;
  let guaranteed = true;
  for (const { resources } of holders) {
    for (const name of ['cpu', 'memory']) {
      const request = positive(resources?.requests?.[name]);
      const limit = positive(resources?.limits?.[name]);
      if (request !== undefined || limit !== undefined) any = true;
      if (limit === undefined || (request !== undefined && request !== limit)) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** Quantities are canonical once stored, so equal amounts of the same format are equal texts. */
function positive(quantity: string | undefined): string | undefined {
  return quantity === undefined || quantity === '0' ? undefined : quantity;
}
