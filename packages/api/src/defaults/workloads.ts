// Defaults of the kinds that run pods, and of autoscalers.
import type {
  CronJob,
  DaemonSet,
  Deployment,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerV1,
  HPAScalingPolicy,
  HPAScalingRules,
  Job,
  ReplicaSet,
  StatefulSet,
} from '../generated/types.ts';
import type { Draft } from './draft.ts';
import { defaultTemplate } from './pod.ts';
import { defaultClaimSpec } from './volumes.ts';

const int32Max = 2 ** 31 - 1;

export function defaultDeployment({ spec }: Draft<Deployment>): void {
  if (spec === undefined) return;
  spec.replicas ??= 1;
  spec.strategy ??= {};
  spec.strategy.type ||= 'RollingUpdate';
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
    spec.strategy.rollingUpdate.maxSurge ??= '25%';
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  defaultTemplate(spec.template);
}

export function defaultReplicaSet({ spec }: Draft<ReplicaSet>): void {
  if (spec === undefined) return;
  spec.replicas ??= 1;
  defaultTemplate(spec.template);
}

export function defaultDaemonSet({ spec }: Draft<DaemonSet>): void {
  if (spec === undefined) return;
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  defaultTemplate(spec.template);
}

export function defaultStatefulSet({ spec }: Draft<StatefulSet>): void {
  if (spec === undefined) return;
  spec.podManagementPolicy ||= 'OrderedReady';
  spec.updateStrategy ??= {};
  if (!spec.updateStrategy.type) {
    spec.updateStrategy.type = 'RollingUpdate';
    spec.updateStrategy.rollingUpdate ??= {};
  }
  if (spec.updateStrategy.type === 'RollingUpdate' && spec.updateStrategy.rollingUpdate !== undefined) {
    spec.updateStrategy.rollingUpdate.partition ??= 0;
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  defaultTemplate(spec.template);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion ||= 'v1';
    claim.kind ||= 'PersistentVolumeClaim';
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
    claim.spec ??= {};
    defaultClaimSpec(claim.spec);
  }
}

export function defaultJob(job: Draft<Job>): void {
  const { spec } = job;
  if (spec === undefined) return;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : int32Max;
  const labels = spec.template?.metadata?.labels;
  if (labels !== undefined && Object.keys(job.metadata?.labels ?? {}).length === 0) {
    job.metadata ??= {};
    job.metadata.labels = { ...labels };
  }
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const condition of rule.onPodConditions ?? []) condition.status ||= 'True';
  }
  defaultTemplate(spec.template);
}

/** The jobs it makes get their own defaults when they are made. */
export function defaultCronJob({ spec }: Draft<CronJob>): void {
  if (spec === undefined) return;
  spec.concurrencyPolicy ||= 'Allow';
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  defaultTemplate(spec.jobTemplate?.spec?.template);
}

export function defaultAutoscaler({ spec }: Draft<HorizontalPodAutoscaler>): void {
  if (spec === undefined) return;
  spec.minReplicas ??= 1;
  if ((spec.metrics?.length ?? 0) === 0) {
    const target = { type: 'Utilization', averageUtilization: 80 };
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  }
  if (spec.behavior !== undefined) {
    spec.behavior.scaleUp = scaleUpRules(spec.behavior.scaleUp);
    spec.behavior.scaleDown = scalingRules(spec.behavior.scaleDown, [
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ]);
  }
}

function scaleUpRules(given: Draft<HPAScalingRules> | undefined): Draft<HPAScalingRules> {
  const rules = scalingRules(given, [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ]);
  rules.stabilizationWindowSeconds ??= 0;
  return rules;
}

function scalingRules(given: Draft<HPAScalingRules> | undefined, policies: HPAScalingPolicy[]): Draft<HPAScalingRules> {
  const rules = given ?? {};
  rules.selectPolicy ??= 'Max';
  rules.policies ??= policies;
  return rules;
}

export function defaultAutoscalerV1({ metadata, spec }: Draft<HorizontalPodAutoscalerV1>): void {
  if (spec === undefined) return;
  spec.minReplicas ??= 1;
  // v1 carries other metrics in this annotation; only without any metric does the CPU target get its default.
  const others = metadata?.annotations?.['autoscaling.alpha.kubernetes.io/metrics'];
  if (others === undefined) spec.targetCPUUtilizationPercentage ??= 80;
}
