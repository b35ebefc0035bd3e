import type { StoreErrorKind } from '../schema/errors.ts';
import type { ClusterState } from './cluster-state.ts';
import type { Command } from './command.ts';

/** What the cluster's alarms leave of its services (etcd's rules). */
export function refusedByAlarm(cluster: ClusterState, command: Command): StoreErrorKind | undefined {
  const isOurs = command.kind === 'alarm' || command.kind === 'memberAttributes';
  if (!isOurs && cluster.hasAlarm('CORRUPT')) return 'corrupt';
  return cluster.hasAlarm('NOSPACE') && grows(command) ? 'noSpace' : undefined;
}

/** Whether a command may make the state larger. */
export function grows(command: Command): boolean {
  return command.kind === 'put' || command.kind === 'leaseGrant' || (command.kind === 'txn' && adds(command));
}

function adds(command: Extract<Command, { kind: 'txn' }>): boolean {
  const { success = [], failure = [] } = command.request;
  return [...success, ...failure].some((op) => op.kind === 'put' || (op.kind === 'txn' && adds(op)));
}
