import { controllerOf, type Deployment, type Job, type LabelSelector, type ReplicaSet, resources } from '@wherry/api';
import { selectorText } from '../kube/pods-of.ts';
import { type Describer, describeConditions } from './describer.ts';
import { describeTemplate } from './pod.ts';

export const describeDeployment: Describer<Deployment> = async (deployment, outline, { client }) => {
  const { spec, status, metadata } = deployment;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, unavailableReplicas = 0 } = status ?? {};
  outline
    .field('Selector', textOf(spec?.selector))
    .field(
      'Replicas',
      `${spec?.replicas ?? 1} desired | ${updatedReplicas} updated | ${replicas} total | ${availableReplicas} available | ${unavailableReplicas} unavailable`,
    )
    .field('StrategyType', spec?.strategy?.type)
    .field('MinReadySeconds', spec?.minReadySeconds ?? 0);
  const { rollingUpdate } = spec?.strategy ?? {};
  if (rollingUpdate !== undefined) {
    outline.field(
      'RollingUpdateStrategy',
      `${rollingUpdate.maxUnavailable} max unavailable, ${rollingUpdate.maxSurge} max surge`,
    );
  }
  describeTemplate(outline, spec?.template);
  describeConditions(outline, status?.conditions);
  const namespace = metadata?.namespace ?? '';
  const { items } = await client.list(resources.replicasets, { namespace });
  const owned = items.filter((replicaSet) => controllerOf(replicaSet.metadata)?.uid === metadata?.uid);
  const revision = metadata?.annotations?.['deployment.kubernetes.io/revision'];
  const isNew = (set: ReplicaSet) => set.metadata?.annotations?.['deployment.kubernetes.io/revision'] === revision;
  outline
    .list('OldReplicaSets', owned.filter((set) => !isNew(set) && (set.status?.replicas ?? 0) > 0).map(countsText))
    .list('NewReplicaSet', owned.filter(isNew).map(countsText));
};

export const describeReplicaSet: Describer<ReplicaSet> = ({ spec, status, metadata }, outline) => {
  const owner = controllerOf(metadata);
  outline
    .field('Selector', textOf(spec?.selector))
    .field('Controlled By', owner === undefined ? undefined : `${owner.kind}/${owner.name}`)
    .field('Replicas', `${status?.replicas ?? 0} current / ${spec?.replicas ?? 1} desired`)
    .field('Ready', status?.readyReplicas ?? 0);
  describeTemplate(outline, spec?.template);
  describeConditions(outline, status?.conditions);
};

export const describeJob: Describer<Job> = ({ spec, status }, outline) => {
  outline
    .field('Selector', textOf(spec?.selector))
    .field('Parallelism', spec?.parallelism)
    .field('Completions', spec?.completions ?? '<unset>')
    .field('Completion Mode', spec?.completionMode)
    .field('Suspend', spec?.suspend)
    .field('Backoff Limit', spec?.backoffLimit)
    .field('Start Time', status?.startTime)
    .field('Completed At', status?.completionTime)
    .field(
      'Pods Statuses',
      `${status?.active ?? 0} Active (${status?.ready ?? 0} Ready) / ${status?.succeeded ?? 0} Succeeded / ${status?.failed ?? 0} Failed`,
    );
  describeTemplate(outline, spec?.template);
  describeConditions(outline, status?.conditions);
};

function countsText({ metadata, spec, status }: ReplicaSet): string {
  return `${metadata?.name} (${status?.replicas ?? 0}/${spec?.replicas ?? 0} replicas created)`;
}

function textOf(selector: LabelSelector | undefined): string {
  return selectorText(selector) || '<none>';
}
