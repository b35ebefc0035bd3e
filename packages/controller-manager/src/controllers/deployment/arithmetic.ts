import { type Deployment, type ReplicaSet, scaledValue } from '@wherry/api';
import { DESIRED_REPLICAS, MAX_REPLICAS } from './annotations.ts';

/** Counting and rounding of rolling updates, as upstream does it. */

export const specReplicas = (replicaSet: ReplicaSet): number => replicaSet.spec?.replicas ?? 0;
export const availableReplicas = (replicaSet: ReplicaSet): number => replicaSet.status?.availableReplicas ?? 0;
export const statusReplicas = (replicaSet: ReplicaSet): number => replicaSet.status?.replicas ?? 0;
export const readyReplicas = (replicaSet: ReplicaSet): number => replicaSet.status?.readyReplicas ?? 0;
export const desiredReplicas = (deployment: Deployment): number => deployment.spec?.replicas ?? 1;

export function sumOf(replicaSets: readonly ReplicaSet[], count: (replicaSet: ReplicaSet) => number): number {
  return replicaSets.reduce((sum, replicaSet) => sum + count(replicaSet), 0);
}

export function isRolling(deployment: Deployment): boolean {
  return (deployment.spec?.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
}

/** Surge rounds up, unavailability down; when both come out zero nothing could move, so one may be unavailable. */
export function fenceposts(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec?.strategy?.rollingUpdate ?? {};
  const desired = desiredReplicas(deployment);
  const surge = scaledValue(maxSurge, desired, 'up') ?? 0;
  const unavailable = scaledValue(maxUnavailable, desired, 'down') ?? 0;
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

export function maxSurge(deployment: Deployment): number {
  return isRolling(deployment) ? fenceposts(deployment).surge : 0;
}

export function maxUnavailable(deployment: Deployment): number {
  const desired = desiredReplicas(deployment);
  if (!isRolling(deployment) || desired === 0) return 0;
  return Math.min(fenceposts(deployment).unavailable, desired);
}

/** How large the newest ReplicaSet may be now, given all that exist. */
export function newReplicaSetSize(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newReplicaSet: ReplicaSet | undefined,
): number {
  const desired = desiredReplicas(deployment);
  if (!isRolling(deployment)) return desired;
  const current = newReplicaSet === undefined ? 0 : specReplicas(newReplicaSet);
  const total = sumOf(all, specReplicas);
  const surge = scaledValue(deployment.spec?.strategy?.rollingUpdate?.maxSurge ?? '25%', desired, 'up') ?? 0;
  const totalMax = desired + surge;
  if (total >= totalMax) return current;
  return current + Math.min(totalMax - total, desired - current);
}

/** Replicas the newest of the sets has got beyond doubt: size, wish and availability all agree. */
export function isSaturated(deployment: Deployment, replicaSet: ReplicaSet | undefined): boolean {
  if (replicaSet === undefined) return false;
  const desired = desiredReplicas(deployment);
  return (
    specReplicas(replicaSet) === desired &&
    annotatedNumber(replicaSet, DESIRED_REPLICAS) === desired &&
    availableReplicas(replicaSet) === desired
  );
}

/**
 * What one ReplicaSet gets of a change by `toAdd` replicas (negative: to remove) during a rollout, in proportion to
 * its size, when `added` has been handed out already.
 */
export function proportion(deployment: Deployment, replicaSet: ReplicaSet, toAdd: number, added: number): number {
  if (specReplicas(replicaSet) === 0 || toAdd === 0 || toAdd === added) return 0;
  const fraction = fractionOf(deployment, replicaSet);
  const left = toAdd - added;
  return toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
}

function fractionOf(deployment: Deployment, replicaSet: ReplicaSet): number {
  const size = specReplicas(replicaSet);
  const desired = desiredReplicas(deployment);
  if (desired === 0) return -size;
  const totalMax = desired + maxSurge(deployment);
  const annotated = annotatedNumber(replicaSet, MAX_REPLICAS);
  const before = annotated === undefined || annotated === 0 ? (deployment.status?.replicas ?? 0) : annotated;
  if (before === 0) return 0;
  const exact = (size * totalMax) / before;
  return Math.sign(exact) * Math.round(Math.abs(exact)) - size;
}

export function annotatedNumber(replicaSet: ReplicaSet, annotation: string): number | undefined {
  const text = replicaSet.metadata?.annotations?.[annotation];
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}
