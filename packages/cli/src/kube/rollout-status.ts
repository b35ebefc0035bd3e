import { type DaemonSet, type Deployment, getCondition, type StatefulSet } from '@wherry/api';
import { VerbError } from './verb-error.ts';

export interface RolloutStatus {
  /** In kubectl's words. */
  readonly message: string;
  readonly complete: boolean;
}

/** Where a rollout stands. @throws VerbError when it has failed, or the kind has no rollouts */
export function rolloutStatus(kind: string, object: Deployment & DaemonSet & StatefulSet): RolloutStatus {
  switch (kind) {
    case 'Deployment':
      return deploymentStatus(object);
    case 'DaemonSet':
      return daemonSetStatus(object);
    case 'StatefulSet':
      return statefulSetStatus(object);
    default:
      throw new VerbError(`no status viewer has been implemented for ${kind}`);
  }
}

function deploymentStatus({ metadata, spec, status }: Deployment): RolloutStatus {
  const name = metadata?.name ?? '';
  if ((metadata?.generation ?? 0) > (status?.observedGeneration ?? 0)) {
    return { message: 'Waiting for deployment spec update to be observed...', complete: false };
  }
  if (getCondition(status?.conditions, 'Progressing')?.reason === 'ProgressDeadlineExceeded') {
    throw new VerbError(`deployment "${name}" exceeded its progress deadline`);
  }
  const wanted = spec?.replicas ?? 1;
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status ?? {};
  const waiting = (what: string): RolloutStatus => ({
    message: `Waiting for deployment "${name}" rollout to finish: ${what}...`,
    complete: false,
  });
  if (updatedReplicas < wanted) return waiting(`${updatedReplicas} out of ${wanted} new replicas have been updated`);
  if (replicas > updatedReplicas) return waiting(`${replicas - updatedReplicas} old replicas are pending termination`);
  if (availableReplicas < updatedReplicas)
    return waiting(`${availableReplicas} of ${updatedReplicas} updated replicas are available`);
  return { message: `deployment "${name}" successfully rolled out`, complete: true };
}

function daemonSetStatus({ metadata, spec, status }: DaemonSet): RolloutStatus {
  const name = metadata?.name ?? '';
  if (spec?.updateStrategy?.type !== 'RollingUpdate')
    throw new VerbError('rollout status is only available for RollingUpdate strategy type');
  if ((metadata?.generation ?? 0) > (status?.observedGeneration ?? 0)) {
    return { message: 'Waiting for daemon set spec update to be observed...', complete: false };
  }
  const { updatedNumberScheduled = 0, desiredNumberScheduled = 0, numberAvailable = 0 } = status ?? {};
  const waiting = (what: string): RolloutStatus => ({
    message: `Waiting for daemon set "${name}" rollout to finish: ${what}...`,
    complete: false,
  });
  if (updatedNumberScheduled < desiredNumberScheduled) {
    return waiting(`${updatedNumberScheduled} out of ${desiredNumberScheduled} new pods have been updated`);
  }
  if (numberAvailable < desiredNumberScheduled)
    return waiting(`${numberAvailable} of ${desiredNumberScheduled} updated pods are available`);
  return { message: `daemon set "${name}" successfully rolled out`, complete: true };
}

function statefulSetStatus({ metadata, spec, status }: StatefulSet): RolloutStatus {
  if (spec?.updateStrategy?.type !== 'RollingUpdate')
    throw new VerbError('rollout status is only available for RollingUpdate strategy type');
  if ((metadata?.generation ?? 0) > (status?.observedGeneration ?? 0)) {
    return { message: 'Waiting for statefulset spec update to be observed...', complete: false };
  }
  const wanted = spec?.replicas ?? 1;
  const {
    readyReplicas = 0,
    updatedReplicas = 0,
    updateRevision = '',
    currentRevision = '',
    currentReplicas = 0,
  } = status ?? {};
  if (readyReplicas < wanted)
    return { message: `Waiting for ${wanted - readyReplicas} pods to be ready...`, complete: false };
  const partition = spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  if (partition > 0) {
    if (updatedReplicas >= wanted - partition)
      return {
        message: `partitioned roll out complete: ${updatedReplicas} new pods have been updated...`,
        complete: true,
      };
    const message = `Waiting for partitioned roll out to finish: ${updatedReplicas} out of ${wanted - partition} new pods have been updated...`;
    return { message, complete: false };
  }
  if (updateRevision !== currentRevision) {
    return {
      message: `waiting for statefulset rolling update to complete ${updatedReplicas} pods at revision ${updateRevision}...`,
      complete: false,
    };
  }
  const message = `statefulset rolling update complete ${currentReplicas} pods at revision ${currentRevision}...`;
  return { message: metadata?.name === undefined ? '' : message, complete: true };
}
