import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';
import {
  availableReplicas,
  desiredReplicas,
  maxUnavailable,
  readyReplicas,
  specReplicas,
  statusReplicas,
  sumOf,
} from './arithmetic.ts';

/** What the API takes for "no deadline". */
const NO_DEADLINE_SECONDS = 2 ** 31 - 1;

export type Conditions = readonly DeploymentCondition[];

export function findCondition(conditions: Conditions | undefined, type: string): DeploymentCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function withoutCondition(conditions: Conditions, type: string): Conditions {
  return conditions.filter((condition) => condition.type !== type);
}

/** Replaces the condition of this type, unless status and reason stay; the transition time moves with the status. */
export function withCondition(
  conditions: Conditions,
  condition: Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>,
  now: string,
): Conditions {
  const current = findCondition(conditions, condition.type);
  if (current?.status === condition.status && current.reason === condition.reason) return conditions;
  const since = current?.status === condition.status ? (current.lastTransitionTime ?? now) : now;
  return [
    ...withoutCondition(conditions, condition.type),
    { ...condition, lastUpdateTime: now, lastTransitionTime: since },
  ];
}

export function hasDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== NO_DEADLINE_SECONDS;
}

/** Counts and the Available condition; the other conditions are carried over. */
export function computeStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newest: ReplicaSet | undefined,
  now: string,
): DeploymentStatus {
  const available = sumOf(all, availableReplicas);
  const enough = available >= desiredReplicas(deployment) - maxUnavailable(deployment);
  const terminating = sumTerminating(all);
  const { collisionCount, conditions = [] } = deployment.status ?? {};
  return {
    observedGeneration: deployment.metadata?.generation ?? 0,
    replicas: sumOf(all, statusReplicas),
    updatedReplicas: newest === undefined ? 0 : statusReplicas(newest),
    readyReplicas: sumOf(all, readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sumOf(all, specReplicas) - available),
    ...(terminating !== undefined && { terminatingReplicas: terminating }),
    ...(collisionCount !== undefined && { collisionCount }),
    conditions: withCondition(
      conditions,
      enough
        ? {
            type: 'Available',
            status: 'True',
            reason: 'MinimumReplicasAvailable',
            message: 'Deployment has minimum availability.',
          }
        : {
            type: 'Available',
            status: 'False',
            reason: 'MinimumReplicasUnavailable',
            message: 'Deployment does not have minimum availability.',
          },
      now,
    ),
  };
}

/** Unknown while any of them does not tell. */
function sumTerminating(all: readonly ReplicaSet[]): number | undefined {
  let sum = 0;
  for (const replicaSet of all) {
    if (replicaSet.status?.terminatingReplicas === undefined) return undefined;
    sum += replicaSet.status.terminatingReplicas;
  }
  return sum;
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const desired = desiredReplicas(deployment);
  return (
    (status.updatedReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0)
  );
}

function isProgressing(old: DeploymentStatus, next: DeploymentStatus): boolean {
  const notUpdated = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (next.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    notUpdated(next) < notUpdated(old) ||
    (next.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

function isTimedOut(deployment: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  const progressing = findCondition(status.conditions, 'Progressing');
  if (!hasDeadline(deployment) || progressing === undefined) return false;
  if (progressing.reason === 'NewReplicaSetAvailable') return false;
  if (progressing.reason === 'ProgressDeadlineExceeded') return true;
  const since = timeMs(progressing.lastUpdateTime);
  return since !== undefined && since + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000 < nowMs;
}

/** The whole status while a rollout is under way or done. */
export function rolloutStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newest: ReplicaSet | undefined,
  time: { readonly nowMs: number; readonly now: string },
): DeploymentStatus {
  const status = computeStatus(deployment, all, newest, time.now);
  let conditions: Conditions = status.conditions ?? [];
  const current = findCondition(conditions, 'Progressing');
  const wasComplete = status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable';
  if (!hasDeadline(deployment)) conditions = withoutCondition(conditions, 'Progressing');
  else if (!wasComplete) conditions = progressed(deployment, status, newest, conditions, time);
  const failures = replicaFailures(all, newest);
  conditions = withoutCondition(conditions, 'ReplicaFailure');
  if (failures !== undefined) conditions = [...conditions, failures];
  return { ...status, conditions };
}

function progressed(
  deployment: Deployment,
  status: DeploymentStatus,
  newest: ReplicaSet | undefined,
  conditions: Conditions,
  time: { readonly nowMs: number; readonly now: string },
): Conditions {
  const subject =
    newest === undefined ? `Deployment "${deployment.metadata?.name}"` : `ReplicaSet "${newest.metadata?.name}"`;
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(
      conditions,
      { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message },
      time.now,
    );
  }
  if (isProgressing(deployment.status ?? {}, status)) {
    const current = findCondition(conditions, 'Progressing');
    const since = current?.status === 'True' ? (current.lastTransitionTime ?? time.now) : time.now;
    const others = withoutCondition(conditions, 'Progressing');
    // Always replaced: its update time restarts the deadline with each sign of progress.
    return [
      ...others,
      {
        type: 'Progressing',
        status: 'True',
        reason: 'ReplicaSetUpdated',
        message: `${subject} is progressing.`,
        lastUpdateTime: time.now,
        lastTransitionTime: since,
      },
    ];
  }
  if (!isTimedOut(deployment, status, time.nowMs)) return conditions;
  const message = `${subject} has timed out progressing.`;
  return withCondition(
    conditions,
    { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message },
    time.now,
  );
}

/** The newest ReplicaSet's failure counts more than those of the old ones. */
function replicaFailures(all: readonly ReplicaSet[], newest: ReplicaSet | undefined): DeploymentCondition | undefined {
  for (const replicaSet of newest === undefined ? all : [newest, ...all]) {
    const failure = replicaSet.status?.conditions?.find((condition) => condition.type === 'ReplicaFailure');
    if (failure === undefined) continue;
    const { lastTransitionTime } = failure;
    return { ...failure, ...(lastTransitionTime !== undefined && { lastUpdateTime: lastTransitionTime }) };
  }
  return undefined;
}

/** When to look again whether the deadline has passed. */
export function deadlineCheckMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const progressing = findCondition(status.conditions, 'Progressing');
  if (!hasDeadline(deployment) || progressing === undefined) return undefined;
  if (isComplete(deployment, status) || progressing.reason === 'ProgressDeadlineExceeded') return undefined;
  const since = timeMs(progressing.lastUpdateTime) ?? nowMs;
  const left = since + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000 - nowMs;
  // One second more, since the API's times are cut to whole seconds.
  return Math.max(0, left) + 1000;
}
