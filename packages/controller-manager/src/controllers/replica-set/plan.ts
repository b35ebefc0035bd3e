import {
  isPodActive,
  isPodAvailable,
  isPodReady,
  type LabelSelector,
  type Pod,
  type PodTemplateSpec,
  type ReplicaSetCondition,
  type ReplicaSetStatus,
} from '@wherry/api';
import { claim, type Owner } from '../../pods/ownership.ts';
import { podsToDelete } from '../../pods/ranking.ts';
import { isPodTerminating, nextAvailabilityMs } from '../../pods/readiness.ts';
import { omitZeros, sameStatus } from '../../status/zeros.ts';

/** Pods created or deleted at most in one go, as upstream's burst. */
export const BURST_REPLICAS_MAX = 500;

const OPTIONAL_COUNTS = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const;

/** What a ReplicaSet and a ReplicationController have in common. */
export interface ReplicaTarget {
  readonly owner: Owner;
  readonly generation: number;
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly selector: LabelSelector;
  readonly template: PodTemplateSpec;
  readonly status: ReplicaSetStatus;
  /** ReplicationControllers do not report terminating replicas. */
  readonly countsTerminating: boolean;
}

export interface ReplicaPlan {
  readonly adopt: readonly Pod[];
  readonly release: readonly Pod[];
  readonly create: number;
  readonly delete: readonly Pod[];
  /** The status when all of it works out; see `replicaStatus` for failures. */
  readonly counts: ReplicaCounts;
  readonly requeueAfterMs: number | undefined;
  readonly why: string;
}

export interface ReplicaCounts {
  readonly replicas: number;
  readonly fullyLabeledReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly terminatingReplicas: number;
}

/**
 * @param candidates pods owned by the target and orphans of its namespace
 * @param related pods of the same family (other revisions of one Deployment), for spreading deletions over nodes
 */
export function planReplicas(
  target: ReplicaTarget,
  candidates: Iterable<Pod>,
  related: readonly Pod[],
  nowMs: number,
): ReplicaPlan {
  // Ended pods of others are of no interest; ended pods of our own neither, but they stay ours.
  const claimed = claim(target.owner, target.selector, candidates);
  const active = claimed.owned.filter(isPodActive);
  const adopt = claimed.adopt.filter((pod) => isPodActive(pod));
  const release = claimed.release.filter((pod) => isPodActive(pod));
  const difference = target.replicas - active.length - adopt.length;
  const manages = !target.owner.deleting;
  const create = manages && difference > 0 ? Math.min(difference, BURST_REPLICAS_MAX) : 0;
  const surplus = manages && difference < 0 ? Math.min(-difference, BURST_REPLICAS_MAX) : 0;
  const counts = countReplicas(target, active, claimed.owned, nowMs);
  return {
    adopt,
    release,
    create,
    delete: surplus > 0 ? podsToDelete(active, related.filter(isPodActive), surplus, nowMs) : [],
    counts,
    requeueAfterMs: nextAvailabilityMs(active, target.minReadySeconds, nowMs),
    why: `${active.length} of ${target.replicas} replicas exist`,
  };
}

function countReplicas(
  target: ReplicaTarget,
  active: readonly Pod[],
  owned: readonly Pod[],
  nowMs: number,
): ReplicaCounts {
  const templateLabels = Object.entries(target.template.metadata?.labels ?? {});
  const isFullyLabeled = (pod: Pod) => templateLabels.every(([key, value]) => pod.metadata?.labels?.[key] === value);
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(isFullyLabeled).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter((pod) => isPodAvailable(pod, target.minReadySeconds, nowMs)).length,
    terminatingReplicas: owned.filter(isPodTerminating).length,
  };
}

/** What kept the last actions from succeeding. */
export interface ReplicaFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/** The status to write, or undefined when the stored one says the same. */
export function replicaStatus(
  target: ReplicaTarget,
  counts: ReplicaCounts,
  failure: ReplicaFailure | undefined,
  now: string,
): ReplicaSetStatus | undefined {
  const { terminatingReplicas, ...others } = counts;
  const conditions = failureConditions(target.status.conditions ?? [], failure, now);
  const next: ReplicaSetStatus = {
    ...others,
    ...(target.countsTerminating && { terminatingReplicas }),
    observedGeneration: target.generation,
    ...(conditions.length > 0 && { conditions }),
  };
  return sameStatus(next, target.status) ? undefined : omitZeros(next, OPTIONAL_COUNTS);
}

function failureConditions(
  conditions: readonly ReplicaSetCondition[],
  failure: ReplicaFailure | undefined,
  now: string,
): readonly ReplicaSetCondition[] {
  const others = conditions.filter((condition) => condition.type !== 'ReplicaFailure');
  if (failure === undefined) return others;
  // The first failure stays, so that its time says since when it has been failing.
  const current = conditions.find((condition) => condition.type === 'ReplicaFailure');
  if (current !== undefined) return conditions;
  return [...others, { type: 'ReplicaFailure', status: 'True', lastTransitionTime: now, ...failure }];
}
