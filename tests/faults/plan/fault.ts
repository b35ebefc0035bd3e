/** What can be hit. `engine` is the Docker engine that all nodes share; the rest are daemons, by the role they have when hit. */
export const faultTargets = [
  'store-leader',
  'store-follower',
  'apiserver',
  'scheduler-leader',
  'controller-manager-leader',
  'balancer',
  'kubelet',
  'proxy',
  'engine',
] as const;

export type FaultTarget = (typeof faultTargets)[number];

/** `kill` is SIGKILL, and started again after `forMs`; `pause` is SIGSTOP, and SIGCONT after `forMs`. */
export type FaultAction = 'kill' | 'pause';

export interface Fault {
  /** From 1, in order of `atMs`. */
  readonly number: number;
  readonly target: FaultTarget;
  readonly action: FaultAction;
  /** After the start of the plan. */
  readonly atMs: number;
  readonly forMs: number;
  /** In [0, 1): which one of several that have the role. */
  readonly pick: number;
}

/** Faults of one group hit the same redundancy: two at a time would take away what the others need. */
export function groupOf(target: FaultTarget): string {
  return target.startsWith('store-') ? 'store' : target;
}

export const describeFault = ({ number, target, action, atMs, forMs }: Fault): string =>
  `#${number} at ${(atMs / 1000).toFixed(1)} s: ${action} ${target} for ${(forMs / 1000).toFixed(1)} s`;
