import {
  type CronJob,
  controllerOf,
  type DaemonSet,
  type Deployment,
  type Job,
  type LabelSelector,
  type ReplicaSet,
  resources,
  type StatefulSet,
} from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import { selectorText } from '../kube/selector-text.ts';
import { ageText } from '../printers/age.ts';
import { type Describer, describeConditions, describeName, describeWords } from './describer.ts';
import { describeTemplate } from './pod-template.ts';
import { timeText } from './times.ts';

const REVISION = 'deployment.kubernetes.io/revision';

export const describeDeployment: Describer<Deployment> = async (deployment, outline, { client }) => {
  const { spec, status, metadata } = deployment;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, unavailableReplicas = 0 } = status ?? {};
  describeName(outline, deployment).field('CreationTimestamp', timeText(metadata?.creationTimestamp));
  describeWords(outline, deployment)
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
  const { items } = await client.list(resources.replicasets, { namespace: metadata?.namespace ?? '' });
  const owned = items.filter((replicaSet) => controllerOf(replicaSet.metadata)?.uid === metadata?.uid);
  const isNew = (set: ReplicaSet) => set.metadata?.annotations?.[REVISION] === metadata?.annotations?.[REVISION];
  outline
    .field(
      'OldReplicaSets',
      owned
        .filter((set) => !isNew(set))
        .map(countsText)
        .join(', ') || '<none>',
    )
    .field('NewReplicaSet', owned.filter(isNew).map(countsText).join(', ') || '<none>');
};

function countsText({ metadata, spec, status }: ReplicaSet): string {
  return `${metadata?.name} (${status?.replicas ?? 0}/${spec?.replicas ?? 0} replicas created)`;
}

export const describeReplicaSet: Describer<ReplicaSet> = async (replicaSet, outline, { client }) => {
  const { spec, status, metadata } = replicaSet;
  const owner = controllerOf(metadata);
  describeName(outline, replicaSet).field('Selector', textOf(spec?.selector));
  describeWords(outline, replicaSet)
    .field('Controlled By', owner === undefined ? undefined : `${owner.kind}/${owner.name}`)
    .field('Replicas', `${status?.replicas ?? 0} current / ${spec?.replicas ?? 1} desired`)
    .field('Pods Status', await podsStatus(client, metadata, spec?.selector));
  describeTemplate(outline, spec?.template);
  describeConditions(outline, status?.conditions);
};

export const describeDaemonSet: Describer<DaemonSet> = async (daemonSet, outline, { client }) => {
  const { spec, status, metadata } = daemonSet;
  outline
    .field('Name', metadata?.name)
    .field('Selector', textOf(spec?.selector))
    .field('Node-Selector', selectorText(spec?.template?.spec?.nodeSelector ?? {}) || '<none>');
  describeWords(outline, daemonSet)
    .row(`Desired Number of Nodes Scheduled: ${status?.desiredNumberScheduled ?? 0}`)
    .row(`Current Number of Nodes Scheduled: ${status?.currentNumberScheduled ?? 0}`)
    .row(`Number of Nodes Scheduled with Up-to-date Pods: ${status?.updatedNumberScheduled ?? 0}`)
    .row(`Number of Nodes Scheduled with Available Pods: ${status?.numberAvailable ?? 0}`)
    .row(`Number of Nodes Misscheduled: ${status?.numberMisscheduled ?? 0}`)
    .field('Pods Status', await podsStatus(client, metadata, spec?.selector));
  describeTemplate(outline, spec?.template);
};

export const describeStatefulSet: Describer<StatefulSet> = async (statefulSet, outline, { client }) => {
  const { spec, status, metadata } = statefulSet;
  describeName(outline, statefulSet)
    .field('CreationTimestamp', timeText(metadata?.creationTimestamp))
    .field('Selector', textOf(spec?.selector));
  describeWords(outline, statefulSet)
    .field('Replicas', `${spec?.replicas ?? 1} desired | ${status?.replicas ?? 0} total`)
    .field('Update Strategy', spec?.updateStrategy?.type);
  const { partition, maxUnavailable } = spec?.updateStrategy?.rollingUpdate ?? {};
  outline.inner().field('Partition', partition).field('MaxUnavailable', maxUnavailable);
  outline.field('Pods Status', await podsStatus(client, metadata, spec?.selector));
  describeTemplate(outline, spec?.template);
  const claims = spec?.volumeClaimTemplates ?? [];
  if (claims.length === 0) outline.field('Volume Claims', '<none>');
  else {
    outline.block('Volume Claims', (inner) => {
      for (const claim of claims) {
        inner
          .field('Name', claim.metadata?.name)
          .field('StorageClass', claim.spec?.storageClassName ?? '')
          .labels('Labels', claim.metadata?.labels)
          .annotations('Annotations', claim.metadata?.annotations)
          .field('Capacity', claim.spec?.resources?.requests?.['storage'] ?? '<default>')
          .field('Access Modes', `[${(claim.spec?.accessModes ?? []).join(' ')}]`);
      }
    });
  }
};

export const describeJob: Describer<Job> = (job, outline) => {
  const { spec, status, metadata } = job;
  const owner = controllerOf(metadata);
  describeName(outline, job).field('Selector', textOf(spec?.selector));
  describeWords(outline, job)
    .field('Controlled By', owner === undefined ? undefined : `${owner.kind}/${owner.name}`)
    .field('Parallelism', spec?.parallelism)
    .field('Completions', spec?.completions ?? '<unset>')
    .field('Completion Mode', spec?.completionMode)
    .field('Suspend', spec?.suspend)
    .field('Backoff Limit', spec?.backoffLimit)
    .field('TTL Seconds After Finished', spec?.ttlSecondsAfterFinished)
    .field('Start Time', timeText(status?.startTime))
    .field('Completed At', timeText(status?.completionTime));
  if (status?.startTime !== undefined && status.completionTime !== undefined) {
    outline.field('Duration', ageText(Date.parse(status.completionTime) - Date.parse(status.startTime)));
  }
  if (spec?.activeDeadlineSeconds !== undefined)
    outline.field('Active Deadline Seconds', `${spec.activeDeadlineSeconds}s`);
  const { active = 0, ready, succeeded = 0, failed = 0 } = status ?? {};
  const running = ready === undefined ? `${active} Running` : `${active} Active (${ready} Ready)`;
  outline.field('Pods Statuses', `${running} / ${succeeded} Succeeded / ${failed} Failed`);
  if (spec?.completionMode === 'Indexed') outline.field('Completed Indexes', status?.completedIndexes || '<none>');
  describeTemplate(outline, spec?.template);
};

export const describeCronJob: Describer<CronJob> = (cronJob, outline) => {
  const { spec, status } = cronJob;
  const job = spec?.jobTemplate.spec;
  describeName(outline, cronJob);
  describeWords(outline, cronJob)
    .field('Schedule', spec?.schedule)
    .field('Time Zone', spec?.timeZone)
    .field('Concurrency Policy', spec?.concurrencyPolicy)
    .field('Suspend', spec?.suspend === true ? 'True' : 'False')
    .field('Successful Job History Limit', spec?.successfulJobsHistoryLimit ?? '<unset>')
    .field('Failed Job History Limit', spec?.failedJobsHistoryLimit ?? '<unset>')
    .field(
      'Starting Deadline Seconds',
      spec?.startingDeadlineSeconds === undefined ? '<unset>' : `${spec.startingDeadlineSeconds}s`,
    )
    .field('Selector', job?.selector === undefined ? '<unset>' : textOf(job.selector))
    .field('Parallelism', job?.parallelism ?? '<unset>')
    .field('Completions', job?.completions ?? '<unset>');
  if (job?.activeDeadlineSeconds !== undefined)
    outline.field('Active Deadline Seconds', `${job.activeDeadlineSeconds}s`);
  describeTemplate(outline, job?.template);
  outline
    .field('Last Schedule Time', timeText(status?.lastScheduleTime) ?? '<unset>')
    .field('Active Jobs', (status?.active ?? []).map(({ name }) => name).join(', ') || '<none>');
};

/** How many of a workload's pods are in which phase. */
async function podsStatus(
  client: ApiClient,
  metadata: ReplicaSet['metadata'],
  selector: LabelSelector | undefined,
): Promise<string> {
  const { items } = await client.list(resources.pods, {
    namespace: metadata?.namespace ?? '',
    labelSelector: selectorText(selector),
  });
  const own = items.filter((pod) => controllerOf(pod.metadata)?.uid === metadata?.uid);
  const count = (phase: string): number => own.filter(({ status }) => status?.phase === phase).length;
  return `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
}

function textOf(selector: LabelSelector | undefined): string {
  return selectorText(selector) || '<none>';
}
