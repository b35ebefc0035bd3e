// A pod's phase from its containers' statuses, as upstream's getPhase.
import type { ContainerStatus, Pod } from '@wherry/api';
import { isRestartableInit } from './restart.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export interface PhaseInputs {
  readonly init: readonly ContainerStatus[];
  readonly regular: readonly ContainerStatus[];
  /** The pod will never start another container, whatever its restart policy says. */
  readonly terminal: boolean;
  /** Whether the pod's containers have been allowed to run before. */
  readonly initialized: boolean;
}

interface InitTally {
  readonly pending: number;
  readonly failed: number;
  readonly sidecarPending: number;
  readonly running: number;
  readonly waiting: number;
  readonly unknown: number;
}

function tallyInit(pod: Pod, statuses: readonly ContainerStatus[]): InitTally {
  const tally = { pending: 0, failed: 0, sidecarPending: 0, running: 0, waiting: 0, unknown: 0 };
  for (const container of pod.spec?.initContainers ?? []) {
    const status = statuses.find((one) => one.name === container.name);
    const state = status?.state;
    const last = status?.lastState?.terminated;
    if (isRestartableInit(container)) {
      if (state?.running !== undefined) {
        if (status?.started !== true) tally.sidecarPending++;
        tally.running++;
      } else if (state?.waiting !== undefined) {
        if (last === undefined) {
          tally.sidecarPending++;
          tally.waiting++;
        }
      } else if (state?.terminated === undefined) {
        tally.sidecarPending++;
        tally.unknown++;
      }
      continue;
    }
    if (state?.terminated !== undefined) {
      if (state.terminated.exitCode !== 0) tally.failed++;
    } else if (state?.waiting !== undefined && last !== undefined) {
      if (last.exitCode !== 0) tally.failed++;
    } else {
      tally.pending++;
    }
  }
  return tally;
}

function tallyRegular(pod: Pod, statuses: readonly ContainerStatus[]) {
  const tally = { running: 0, waiting: 0, stopped: 0, succeeded: 0, unknown: 0 };
  for (const container of pod.spec?.containers ?? []) {
    const status = statuses.find((one) => one.name === container.name);
    const state = status?.state;
    if (state?.running !== undefined) tally.running++;
    else if (state?.terminated !== undefined) {
      tally.stopped++;
      if (state.terminated.exitCode === 0) tally.succeeded++;
    } else if (state?.waiting !== undefined) {
      if (status?.lastState?.terminated !== undefined) tally.stopped++;
      else tally.waiting++;
    } else tally.unknown++;
  }
  return tally;
}

export function podPhase(pod: Pod, inputs: PhaseInputs): PodPhase {
  const init = tallyInit(pod, inputs.init);
  const regular = tallyRegular(pod, inputs.regular);
  const policy = pod.spec?.restartPolicy ?? 'Always';
  const running = regular.running + init.running;
  const waiting = regular.waiting + init.waiting;
  const unknown = regular.unknown + init.unknown;
  if (init.failed > 0 && policy === 'Never') return 'Failed';
  if (inputs.terminal && regular.running === 0 && init.running === 0 && regular.stopped === 0) {
    // Terminated before any container ran: it did not succeed.
    return 'Failed';
  }
  if (init.pending > 0 && !inputs.terminal) return 'Pending';
  if (init.sidecarPending > 0 && !inputs.initialized) return 'Pending';
  if (waiting > 0) return 'Pending';
  if (running > 0 && unknown === 0) return 'Running';
  if (running === 0 && regular.stopped > 0 && unknown === 0) {
    const allSucceeded = regular.stopped === regular.succeeded;
    if (inputs.terminal) return allSucceeded ? 'Succeeded' : 'Failed';
    if (policy === 'Always') return 'Running';
    if (allSucceeded) return 'Succeeded';
    return policy === 'Never' ? 'Failed' : 'Running';
  }
  return 'Pending';
}
