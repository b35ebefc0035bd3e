import {
  compileLabelSelector,
  controllerOf,
  type LabelFilter,
  type LabelSelector,
  labelFilterOf,
  labelsMatch,
  type ReplicaSet,
  type ReplicationController,
  type Service,
  type StatefulSet,
} from '@wherry/api';
import type { Informer } from '@wherry/client';
import type { PodInfo } from '../framework/pod-info.ts';
import type { Workload } from './projections.ts';

/** The index of services by namespace. */
export const BY_NAMESPACE = 'namespace';

export interface WorkloadInformers {
  readonly services: Informer<Service>;
  readonly replicaSets: Informer<ReplicaSet>;
  readonly statefulSets: Informer<StatefulSet>;
  readonly replicationControllers: Informer<ReplicationController>;
}

/** Who belongs together with a pod: what its services and its controller select. Undefined when there are none. */
export function workloadSelector(pod: PodInfo, informers: WorkloadInformers): LabelFilter | undefined {
  const filters: LabelFilter[] = [];
  for (const service of informers.services.byIndex(BY_NAMESPACE, pod.namespace)) {
    const selector = service.spec?.selector;
    if (selector === undefined || Object.keys(selector).length === 0) continue;
    const filter = filterOfLabels(selector);
    if (labelsMatch(filter, pod.labels)) filters.push(filter);
  }
  const owner = controllerOf(pod.pod.metadata);
  const key = `${pod.namespace}/${owner?.name ?? ''}`;
  if (owner?.kind === 'ReplicationController') {
    const selector = informers.replicationControllers.get(key)?.spec?.selector;
    if (selector !== undefined) filters.push(filterOfLabels(selector));
  } else if (owner?.kind === 'ReplicaSet' || owner?.kind === 'StatefulSet') {
    const workload: Workload | undefined =
      owner.kind === 'ReplicaSet' ? informers.replicaSets.get(key) : informers.statefulSets.get(key);
    const selector = workload?.spec?.selector;
    if (selector !== undefined) filters.push(compileLabelSelector(selector as LabelSelector));
  }
  const requirements = filters.flatMap((filter) => filter.requirements);
  return requirements.length === 0 ? undefined : { requirements, nothing: false };
}

const compiled = new WeakMap<Readonly<Record<string, string>>, LabelFilter>();

function filterOfLabels(labels: Readonly<Record<string, string>>): LabelFilter {
  let filter = compiled.get(labels);
  if (filter === undefined) {
    filter = labelFilterOf(labels);
    compiled.set(labels, filter);
  }
  return filter;
}
