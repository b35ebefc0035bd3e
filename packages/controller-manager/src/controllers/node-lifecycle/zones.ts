import { isConditionTrue, type Node } from '@wherry/api';

export type ZoneState = 'normal' | 'partial' | 'full';

/** Below this many unready nodes a zone is never called partially disrupted. */
const UNREADY_MIN = 2;

export interface ZoneLimits {
  readonly nodeEvictionRate: number;
  readonly secondaryNodeEvictionRate: number;
  readonly unhealthyZoneThreshold: number;
  readonly largeClusterSizeThreshold: number;
}

export interface Zones {
  readonly states: ReadonlyMap<string, ZoneState>;
  /** Nodes a second that may be tainted NoExecute, by zone. */
  readonly rates: ReadonlyMap<string, number>;
  /** Every zone is down: more likely we are cut off ourselves, so nobody is evicted. */
  readonly allDown: boolean;
}

/** Region and zone of a node; nodes without both make one zone. */
export function zoneOf(node: Node): string {
  const labels = node.metadata?.labels ?? {};
  const region = labels['topology.kubernetes.io/region'] ?? '';
  const zone = labels['topology.kubernetes.io/zone'] ?? '';
  return `${region}:${zone}`;
}

export function assessZones(nodes: readonly Node[], limits: ZoneLimits): Zones {
  const states = new Map<string, ZoneState>();
  const rates = new Map<string, number>();
  for (const [zone, members] of Map.groupBy(nodes, zoneOf)) {
    const state = stateOf(members, limits.unhealthyZoneThreshold);
    states.set(zone, state);
    rates.set(zone, rateOf(state, members.length, limits));
  }
  const allDown = states.size > 0 && [...states.values()].every((state) => state === 'full');
  return { states, rates, allDown };
}

function stateOf(members: readonly Node[], threshold: number): ZoneState {
  const ready = members.filter((node) => isConditionTrue(node.status?.conditions, 'Ready')).length;
  const unready = members.length - ready;
  if (ready === 0 && unready > 0) return 'full';
  return unready > UNREADY_MIN && unready / members.length >= threshold ? 'partial' : 'normal';
}

function rateOf(state: ZoneState, size: number, limits: ZoneLimits): number {
  if (state !== 'partial') return limits.nodeEvictionRate;
  return size > limits.largeClusterSizeThreshold ? limits.secondaryNodeEvictionRate : 0;
}

/** When a zone's next node may be tainted: a bucket of one token that fills at the zone's rate. */
export interface Allowance {
  readonly tokens: number;
  readonly atMs: number;
}

export function takeToken(
  allowance: Allowance | undefined,
  ratePerSecond: number,
  monotonicMs: number,
): { readonly taken: boolean; readonly next: Allowance } {
  const filled =
    allowance === undefined
      ? 1
      : Math.min(1, allowance.tokens + ((monotonicMs - allowance.atMs) / 1000) * ratePerSecond);
  const taken = ratePerSecond > 0 && filled >= 1;
  return { taken, next: { tokens: taken ? filled - 1 : filled, atMs: monotonicMs } };
}
