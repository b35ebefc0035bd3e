import type { ReplicaSet } from '@wherry/api';
import {
  availableReplicas,
  desiredReplicas,
  isRolling,
  isSaturated,
  maxSurge,
  maxUnavailable,
  newReplicaSetSize,
  proportion,
  specReplicas,
  sumOf,
} from './arithmetic.ts';
import type { Draft } from './draft.ts';
import { byAge } from './replica-sets.ts';

/** One step of a rolling update. @returns whether anything was scaled */
export function rollingStep(draft: Draft, newest: ReplicaSet, old: readonly ReplicaSet[]): boolean {
  return scaleNewest(draft, newest) || scaleOld(draft, newest, old);
}

function scaleNewest(draft: Draft, newest: ReplicaSet): boolean {
  const desired = desiredReplicas(draft.deployment);
  const current = specReplicas(newest);
  if (current === desired) return false;
  if (current > desired) return draft.scale(newest, desired, 'the Deployment wants fewer');
  const size = newReplicaSetSize(draft.deployment, draft.all, newest);
  return draft.scale(newest, size, `at most ${desired + maxSurge(draft.deployment)} replicas may exist in all`);
}

function scaleOld(draft: Draft, newest: ReplicaSet, old: readonly ReplicaSet[]): boolean {
  if (sumOf(old, specReplicas) === 0) return false;
  const minAvailable = desiredReplicas(draft.deployment) - maxUnavailable(draft.deployment);
  const newUnavailable = specReplicas(newest) - availableReplicas(newest);
  const most = sumOf(draft.all, specReplicas) - minAvailable - newUnavailable;
  if (most <= 0) return false;
  const cleaned = removeUnhealthy(draft, old, most);
  const removed = removeHealthy(draft, old, minAvailable);
  return cleaned + removed > 0;
}

/** Old replicas that serve nobody go first: they would only hold up the rollout. */
function removeUnhealthy(draft: Draft, old: readonly ReplicaSet[], most: number): number {
  let total = 0;
  for (const replicaSet of [...old].sort(byAge)) {
    const size = specReplicas(replicaSet);
    if (total >= most) break;
    const unhealthy = size - availableReplicas(replicaSet);
    if (size === 0 || unhealthy === 0) continue;
    const count = Math.min(most - total, unhealthy);
    // More available than wanted: its controller is scaling it down already.
    if (count <= 0) continue;
    draft.scale(replicaSet, size - count, `${unhealthy} of its replicas are not available`);
    total += count;
  }
  return total;
}

function removeHealthy(draft: Draft, old: readonly ReplicaSet[], minAvailable: number): number {
  const available = sumOf(draft.all, availableReplicas);
  const most = available - minAvailable;
  let total = 0;
  for (const replicaSet of old.map((entry) => draft.current(entry)).sort(byAge)) {
    if (total >= most) break;
    const size = specReplicas(replicaSet);
    const count = Math.min(size, most - total);
    if (count <= 0) continue;
    draft.scale(replicaSet, size - count, `${available} are available, ${minAvailable} must be`);
    total += count;
  }
  return total;
}

/** Brings the size of the Deployment, changed or met while paused, to its ReplicaSets. */
export function scaleProportionally(draft: Draft, newest: ReplicaSet | undefined, old: readonly ReplicaSet[]): void {
  const { deployment } = draft;
  const desired = desiredReplicas(deployment);
  const single = activeOrLatest(newest, old);
  if (single !== undefined) {
    if (specReplicas(single) !== desired) draft.scale(single, desired, `the Deployment wants ${desired}`);
    return;
  }
  if (isSaturated(deployment, newest)) {
    for (const replicaSet of old.filter((entry) => specReplicas(entry) > 0)) {
      draft.scale(replicaSet, 0, 'the newest ReplicaSet has all replicas available');
    }
    return;
  }
  if (isRolling(deployment)) shareOut(draft, newest, old);
}

function shareOut(draft: Draft, newest: ReplicaSet | undefined, old: readonly ReplicaSet[]): void {
  const { deployment } = draft;
  const active = [...old, ...(newest === undefined ? [] : [newest])].filter((entry) => specReplicas(entry) > 0);
  const desired = desiredReplicas(deployment);
  const allowed = desired > 0 ? desired + maxSurge(deployment) : 0;
  const toAdd = allowed - sumOf(active, specReplicas);
  active.sort(
    (left, right) => specReplicas(right) - specReplicas(left) || (toAdd > 0 ? byAge(right, left) : byAge(left, right)),
  );
  let added = 0;
  const sizes = active.map((replicaSet) => {
    const share = toAdd === 0 ? 0 : proportion(deployment, replicaSet, toAdd, added);
    added += share;
    return specReplicas(replicaSet) + share;
  });
  active.forEach((replicaSet, index) => {
    // The largest takes what rounding left over.
    const leftover = index === 0 && toAdd !== 0 ? toAdd - added : 0;
    draft.scale(replicaSet, Math.max(0, (sizes[index] ?? 0) + leftover), `its share of ${toAdd} replicas`);
  });
}

/** The only ReplicaSet with replicas, or the newest when none has any; undefined when several have. */
function activeOrLatest(newest: ReplicaSet | undefined, old: readonly ReplicaSet[]): ReplicaSet | undefined {
  const all = newest === undefined ? old : [...old, newest];
  const active = all.filter((replicaSet) => specReplicas(replicaSet) > 0);
  if (active.length > 1) return undefined;
  return active[0] ?? newest ?? [...old].sort(byAge).at(-1);
}
