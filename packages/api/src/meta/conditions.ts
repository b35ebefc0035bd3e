// Lists of conditions, which every kind with a status has.

export interface AnyCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export function getCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(conditions: readonly AnyCondition[] | undefined, type: string): boolean {
  return getCondition(conditions, type)?.status === 'True';
}

/**
 * A list with this condition added or replaced in place. `lastTransitionTime` stays as it was while the status does;
 * the same list is returned if nothing would change but times.
 */
export function setCondition<C extends AnyCondition>(conditions: readonly C[] | undefined, next: C): readonly C[] {
  const list = conditions ?? [];
  const index = list.findIndex((condition) => condition.type === next.type);
  const previous = list[index];
  if (previous === undefined) return [...list, next];
  const sameStatus = previous.status === next.status;
  if (sameStatus && sameExceptTimes(previous, next)) return list;
  const kept =
    sameStatus && previous.lastTransitionTime !== undefined
      ? { ...next, lastTransitionTime: previous.lastTransitionTime }
      : next;
  return list.with(index, kept);
}

export function removeCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined,
  type: string,
): readonly C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}

/** Times at which a condition was looked at or changed say nothing new by themselves. */
const times = new Set(['lastTransitionTime', 'lastUpdateTime', 'lastProbeTime', 'lastHeartbeatTime']);

function sameExceptTimes(a: object, b: object): boolean {
  const left = Object.entries(a).filter(([key]) => !times.has(key));
  const right = new Map(Object.entries(b).filter(([key]) => !times.has(key)));
  return left.length === right.size && left.every(([key, value]) => right.get(key) === value);
}
