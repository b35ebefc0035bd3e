import { getCondition, type Node, type NodeCondition, type Taint } from '@wherry/api';
import { type Health, silentConditions } from './health.ts';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';

/** Conditions that keep new pods away, with the status that does. */
const NO_SCHEDULE: readonly (readonly [type: string, status: string, taint: string])[] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
];
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
/** NoSchedule taints that only this controller sets and removes. */
const MANAGED: ReadonlySet<string> = new Set([...NO_SCHEDULE.map(([, , taint]) => taint), UNSCHEDULABLE]);

export interface NodeInput {
  readonly node: Node;
  readonly health: Health;
  readonly monotonicMs: number;
  readonly now: string;
  readonly gracePeriodMs: number;
  readonly startupGracePeriodMs: number;
  /** Nobody is evicted: all zones are down. */
  readonly allDown: boolean;
}

export interface NodePlan {
  /** Conditions to change, if the node has been silent for too long. */
  readonly conditions: readonly NodeCondition[];
  /** Taints for `node` with those conditions, evictions aside. */
  readonly taints: readonly Taint[];
  /** The NoExecute taint it should get, when its zone's rate allows. */
  readonly eviction: Taint | undefined;
  /** Ready went from True to something else by our hand. */
  readonly lost: boolean;
  /** Its pods can no longer be called ready. */
  readonly podsNotReady: boolean;
  readonly why: string;
}

export function planNode(input: NodeInput): NodePlan {
  const { node, health, monotonicMs, now } = input;
  const reported = getCondition(node.status?.conditions, 'Ready');
  const graceMs = reported === undefined ? input.startupGracePeriodMs : input.gracePeriodMs;
  const silentMs = monotonicMs - health.probedMs;
  const conditions = silentMs > graceMs ? silentConditions(node, now) : [];
  const all = merge(node.status?.conditions ?? [], conditions);
  const ready = getCondition(all, 'Ready')?.status;
  const wanted = evictionTaint(ready, now);
  const taints = node.spec?.taints ?? [];
  const kept = taints.filter((taint) => keepsNoExecute(taint, ready, input.allDown));
  const has = kept.some((taint) => taint.effect === 'NoExecute' && taint.key === wanted?.key);
  return {
    conditions,
    taints: withNoSchedule(kept, all, node.spec?.unschedulable === true, now),
    eviction: has || input.allDown ? undefined : wanted,
    lost: reported?.status === 'True' && ready !== 'True',
    podsNotReady: ready === 'Unknown',
    why: conditions.length > 0 ? `no heartbeat for ${Math.round(silentMs)} ms` : `Ready is ${ready ?? 'not known'}`,
  };
}

function merge(conditions: readonly NodeCondition[], changed: readonly NodeCondition[]): readonly NodeCondition[] {
  const types = new Set(changed.map((condition) => condition.type));
  return [...conditions.filter((condition) => !types.has(condition.type)), ...changed];
}

function evictionTaint(ready: string | undefined, now: string): Taint | undefined {
  if (ready === undefined || ready === 'True') return undefined;
  return { key: ready === 'Unknown' ? UNREACHABLE : NOT_READY, effect: 'NoExecute', timeAdded: now };
}

/**
 * A NoExecute taint of ours goes when the node is ready again, or when nobody is to be evicted. While it is not
 * ready a taint of the other kind is swapped at once: the node has paid its zone's rate already.
 */
function keepsNoExecute(taint: Taint, ready: string | undefined, allDown: boolean): boolean {
  if (taint.effect !== 'NoExecute' || (taint.key !== NOT_READY && taint.key !== UNREACHABLE)) return true;
  return ready !== 'True' && !allDown;
}

function withNoSchedule(
  taints: readonly Taint[],
  conditions: readonly NodeCondition[],
  unschedulable: boolean,
  now: string,
): readonly Taint[] {
  const wanted = new Set(unschedulable ? [UNSCHEDULABLE] : []);
  for (const [type, status, taint] of NO_SCHEDULE) {
    if (getCondition(conditions, type)?.status === status) wanted.add(taint);
  }
  const kept = taints.filter(({ effect, key }) => effect !== 'NoSchedule' || !MANAGED.has(key) || wanted.has(key));
  const present = new Set(kept.filter(({ effect }) => effect === 'NoSchedule').map(({ key }) => key));
  const missing = [...wanted].filter((key) => !present.has(key));
  const added = missing.map((key) => ({ key, effect: 'NoSchedule', timeAdded: now }));
  return added.length === 0 && kept.length === taints.length ? taints : [...kept, ...added];
}

/** Exchanges or adds the NoExecute taint; `exchange` says whether the other kind was there. */
export function withEviction(taints: readonly Taint[], eviction: Taint): readonly Taint[] {
  const others = taints.filter(
    ({ effect, key }) => effect !== 'NoExecute' || (key !== NOT_READY && key !== UNREACHABLE),
  );
  return [...others, eviction];
}

/** Whether the node has a NoExecute taint of ours already, so that another kind of it costs nothing. */
export function isBeingEvicted(taints: readonly Taint[]): boolean {
  return taints.some(({ effect, key }) => effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE));
}
