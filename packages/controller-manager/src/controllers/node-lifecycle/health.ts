import { getCondition, type Lease, type Node, type NodeCondition } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';

/** What this process has seen of a node's heartbeats. Times are monotonic: the node's own clock does not matter. */
export interface Health {
  /** When the last new heartbeat was seen. */
  readonly probedMs: number;
  readonly heartbeat: string | undefined;
  readonly leaseRenewed: string | undefined;
}

export interface Observation {
  readonly node: Node;
  readonly lease: Lease | undefined;
  readonly nowMs: number;
  readonly monotonicMs: number;
}

/** A heartbeat is any change of the lease's renew time or of the Ready condition's heartbeat. */
export function observe(previous: Health | undefined, seen: Observation): Health {
  const ready = getCondition(seen.node.status?.conditions, 'Ready');
  const heartbeat = ready?.lastHeartbeatTime;
  const leaseRenewed = seen.lease?.spec?.renewTime;
  if (previous === undefined) {
    // A node that never reported is as old as its registration; of one that did, no news is known yet.
    const ageMs = Math.max(0, seen.nowMs - (timeMs(seen.node.metadata?.creationTimestamp) ?? seen.nowMs));
    return { probedMs: ready === undefined ? seen.monotonicMs - ageMs : seen.monotonicMs, heartbeat, leaseRenewed };
  }
  const renewed = leaseRenewed !== undefined && leaseRenewed !== previous.leaseRenewed;
  // What we wrote ourselves into the condition is no heartbeat: it leaves the heartbeat's time alone.
  const reported = heartbeat !== previous.heartbeat;
  return { probedMs: renewed || reported ? seen.monotonicMs : previous.probedMs, heartbeat, leaseRenewed };
}

const NEVER_UPDATED = { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' };
const STOPPED = { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' };
const WATCHED: readonly string[] = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** Conditions of a node that has been silent for too long: nobody knows. Only those that change. */
export function silentConditions(node: Node, now: string): readonly NodeCondition[] {
  const created = node.metadata?.creationTimestamp ?? now;
  return WATCHED.flatMap((type) => {
    const current = getCondition(node.status?.conditions, type);
    if (current === undefined) {
      return [{ type, status: 'Unknown', ...NEVER_UPDATED, lastHeartbeatTime: created, lastTransitionTime: now }];
    }
    if (current.status === 'Unknown') return [];
    return [{ ...current, status: 'Unknown', ...STOPPED, lastTransitionTime: now }];
  });
}
