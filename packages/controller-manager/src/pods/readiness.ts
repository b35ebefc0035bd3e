import { getCondition, isPodReady, isPodTerminal, type Pod } from '@wherry/api';

/** When the pod's Ready condition last changed, in wall milliseconds; undefined when it never had one. */
export function readySinceMs(pod: Pod): number | undefined {
  return timeMs(getCondition(pod.status?.conditions, 'Ready')?.lastTransitionTime);
}

/** Milliseconds until the first of these pods that is ready but not yet available becomes so. */
export function nextAvailabilityMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds === 0) return undefined;
  let next: number | undefined;
  for (const pod of pods) {
    const since = isPodReady(pod) ? readySinceMs(pod) : undefined;
    if (since === undefined) continue;
    const left = since + minReadySeconds * 1000 - nowMs;
    if (left > 0 && (next === undefined || left < next)) next = left;
  }
  return next;
}

/** Being deleted, but its containers may still run. */
export function isPodTerminating(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata?.deletionTimestamp !== undefined;
}

/** The API's Time or MicroTime in milliseconds. */
export function timeMs(time: string | undefined): number | undefined {
  if (time === undefined) return undefined;
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? undefined : parsed;
}
