import { resourceAmount } from '@wherry/api';
import type { NodeTable } from '../framework/node-table.ts';
import {
  type ClusterEvent,
  type FilterPlugin,
  type Refusal,
  SCORE_MAX,
  type ScorePlugin,
} from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';

const NAME = 'NodeResourcesFit';

/** One refusal object for each combination of reasons: a large cluster makes thousands of the same. */
const refusals = new Map<string, Refusal>();

function refuse(reasons: readonly string[], resolvable: boolean): Refusal {
  const key = `${resolvable} ${reasons.join()}`;
  let refusal = refusals.get(key);
  if (refusal === undefined) {
    refusal = { plugin: NAME, reasons, resolvable };
    refusals.set(key, refusal);
  }
  return refusal;
}

/** The node has room for what the pod requests, and for one pod more. */
export const nodeResourcesFit: FilterPlugin = {
  name: NAME,
  prepare(pod, { table }) {
    const { cpu, memory, ephemeralStorage, extended } = pod;
    return {
      kind: 'check',
      check(row) {
        const { allocatable, requested } = table;
        const podsFit = at(requested.pods, row) + 1 <= at(allocatable.pods, row);
        if (
          podsFit &&
          (cpu === 0 || cpu <= at(allocatable.cpu, row) - at(requested.cpu, row)) &&
          (memory === 0 || memory <= at(allocatable.memory, row) - at(requested.memory, row)) &&
          (ephemeralStorage === 0 ||
            ephemeralStorage <= at(allocatable.ephemeralStorage, row) - at(requested.ephemeralStorage, row)) &&
          (extended.length === 0 || extended.every(([name, amount]) => amount <= freeExtended(table, row, name)))
        ) {
          return undefined;
        }
        return explain(pod, table, row);
      },
    };
  },
  mayHelp: helpsToFit,
};

function explain(pod: PodInfo, table: NodeTable, row: number): Refusal {
  const { allocatable, requested } = table;
  const reasons: string[] = [];
  let resolvable = true;
  if (at(requested.pods, row) + 1 > at(allocatable.pods, row)) reasons.push('Too many pods');
  const short = (name: string, amount: number, total: number, used: number): void => {
    if (amount === 0 || amount <= total - used) return;
    reasons.push(`Insufficient ${name}`);
    if (amount > total) resolvable = false;
  };
  short('cpu', pod.cpu, at(allocatable.cpu, row), at(requested.cpu, row));
  short('memory', pod.memory, at(allocatable.memory, row), at(requested.memory, row));
  const storage = [at(allocatable.ephemeralStorage, row), at(requested.ephemeralStorage, row)] as const;
  short('ephemeral-storage', pod.ephemeralStorage, ...storage);
  for (const [name, amount] of pod.extended) {
    short(name, amount, table.extendedAllocatable[row]?.get(name) ?? 0, table.extendedRequested[row]?.get(name) ?? 0);
  }
  return refuse(reasons, resolvable);
}

function helpsToFit(event: ClusterEvent, pod: PodInfo): boolean {
  switch (event.kind) {
    case 'pod-left':
      return true;
    case 'pod-changed':
      return event.pod.cpu < event.previous.cpu || event.pod.memory < event.previous.memory;
    case 'node-added':
      return couldHold(event.node.status?.allocatable, pod);
    case 'node-changed': {
      const now = event.node.status?.allocatable;
      return JSON.stringify(now) !== JSON.stringify(event.previous.status?.allocatable) && couldHold(now, pod);
    }
    default:
      return false;
  }
}

/** Whether the node would hold the pod if it were empty. */
function couldHold(allocatable: Readonly<Record<string, string>> | undefined, pod: PodInfo): boolean {
  const has = (name: string, amount: number): boolean =>
    amount === 0 || amount <= resourceAmount(name, allocatable?.[name] ?? '0');
  return (
    has('cpu', pod.cpu) &&
    has('memory', pod.memory) &&
    has('ephemeral-storage', pod.ephemeralStorage) &&
    pod.extended.every(([name, amount]) => has(name, amount))
  );
}

function freeExtended(table: NodeTable, row: number, name: string): number {
  return (table.extendedAllocatable[row]?.get(name) ?? 0) - (table.extendedRequested[row]?.get(name) ?? 0);
}

/** Free CPU and memory as a share of all, averaged; pods that request nothing count with upstream's assumed amounts. */
export const leastAllocated: ScorePlugin = {
  name: NAME,
  prepare: (pod, { table }) => ({
    score(row) {
      const cpu = freeShare(at(table.nonZeroCpu, row) + pod.nonZeroCpu, at(table.allocatable.cpu, row));
      const memory = freeShare(at(table.nonZeroMemory, row) + pod.nonZeroMemory, at(table.allocatable.memory, row));
      const resources = Number(at(table.allocatable.cpu, row) > 0) + Number(at(table.allocatable.memory, row) > 0);
      return resources === 0 ? 0 : Math.floor((cpu + memory) / resources);
    },
  }),
};

function freeShare(requested: number, capacity: number): number {
  return capacity === 0 || requested > capacity ? 0 : Math.floor(((capacity - requested) * SCORE_MAX) / capacity);
}

/** CPU and memory used to a similar degree are better; says nothing about pods that request neither. */
export const balancedAllocation: ScorePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  prepare(pod, { table }) {
    if (pod.cpu === 0 && pod.memory === 0) return undefined;
    return {
      score(row) {
        const { allocatable, requested } = table;
        const cpu = at(allocatable.cpu, row);
        const memory = at(allocatable.memory, row);
        // With one resource there is nothing to balance.
        if (cpu === 0 || memory === 0) return SCORE_MAX;
        const cpuShare = Math.min(1, (at(requested.cpu, row) + pod.cpu) / cpu);
        const memoryShare = Math.min(1, (at(requested.memory, row) + pod.memory) / memory);
        return Math.floor((1 - Math.abs(cpuShare - memoryShare) / 2) * SCORE_MAX);
      },
    };
  },
};

function at(column: Float64Array, row: number): number {
  return column[row] ?? 0;
}
