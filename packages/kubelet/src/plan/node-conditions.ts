// A node's own conditions, with upstream's reasons and messages.
import type { NodeCondition } from '@wherry/api';
import { apiTime } from './api-time.ts';

export interface NodeFacts {
  readonly memoryAvailableBytes: number;
  /** Free and total bytes of the file system that holds pods' data. */
  readonly diskAvailableBytes: number;
  readonly diskCapacityBytes: number;
  readonly inodesFree: number;
  readonly inodes: number;
  readonly processes: number;
  readonly processesMax: number;
  /** Each a sentence; none means that pods can run. */
  readonly problems: readonly string[];
}

/** Upstream's default hard eviction thresholds. */
const memoryAvailableBytesMin = 100 * 1024 * 1024;
const diskAvailableShareMin = 0.1;
const inodesFreeShareMin = 0.05;
const processesFreeShareMin = 0.05;

type Verdict = Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>;

function pressure(type: string, under: boolean, noun: string, yes: string, no: string): Verdict {
  return under
    ? { type, status: 'True', reason: `KubeletHas${yes}`, message: `kubelet has ${noun}` }
    : { type, status: 'False', reason: `KubeletHas${no}`, message: `kubelet has ${noun}` };
}

function verdicts(facts: NodeFacts): readonly Verdict[] {
  const memory = facts.memoryAvailableBytes < memoryAvailableBytesMin;
  const disk =
    facts.diskAvailableBytes < facts.diskCapacityBytes * diskAvailableShareMin ||
    (facts.inodes > 0 && facts.inodesFree < facts.inodes * inodesFreeShareMin);
  const processes = facts.processesMax - facts.processes < facts.processesMax * processesFreeShareMin;
  const ready: Verdict =
    facts.problems.length === 0
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: facts.problems.join(', ') };
  return [
    pressure(
      'MemoryPressure',
      memory,
      memory ? 'insufficient memory available' : 'sufficient memory available',
      'InsufficientMemory',
      'SufficientMemory',
    ),
    pressure('DiskPressure', disk, disk ? 'disk pressure' : 'no disk pressure', 'DiskPressure', 'NoDiskPressure'),
    pressure(
      'PIDPressure',
      processes,
      processes ? 'insufficient PID available' : 'sufficient PID available',
      'InsufficientPID',
      'SufficientPID',
    ),
    ready,
  ];
}

/** Conditions of now; a status that did not change keeps its transition time. */
export function nodeConditions(
  previous: readonly NodeCondition[] | undefined,
  facts: NodeFacts,
  nowMs: number,
): readonly NodeCondition[] {
  const now = apiTime(nowMs);
  return verdicts(facts).map((verdict) => {
    const old = previous?.find((condition) => condition.type === verdict.type);
    const transition = old?.status === verdict.status ? (old.lastTransitionTime ?? now) : now;
    return { ...verdict, lastHeartbeatTime: now, lastTransitionTime: transition };
  });
}

/** Whether two lists say the same, heartbeats aside: then the API need not hear of it before the report is due. */
export function sameConditions(left: readonly NodeCondition[] | undefined, right: readonly NodeCondition[]): boolean {
  if (left === undefined || left.length !== right.length) return false;
  return right.every((condition) => {
    const old = left.find((one) => one.type === condition.type);
    return old?.status === condition.status && old.reason === condition.reason && old.message === condition.message;
  });
}

/** Events that a change of conditions causes, as upstream: `NodeReady`, `NodeHasDiskPressure`, … */
export function conditionEvents(
  previous: readonly NodeCondition[] | undefined,
  next: readonly NodeCondition[],
): readonly string[] {
  return next.flatMap((condition) => {
    const old = previous?.find((one) => one.type === condition.type);
    if (old?.status === condition.status) return [];
    if (condition.type === 'Ready') return [condition.status === 'True' ? 'NodeReady' : 'NodeNotReady'];
    return [(condition.reason ?? '').replace('Kubelet', 'Node')];
  });
}
