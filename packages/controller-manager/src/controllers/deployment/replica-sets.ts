import type { Deployment, PodTemplateSpec, ReplicaSet } from '@wherry/api';
import { controllerReference, type Owner } from '../../pods/ownership.ts';
import { timeMs } from '../../pods/readiness.ts';
import { canonicalJson, templateHash } from '../../pods/template-hash.ts';
import { newestAnnotations, REVISION_HISTORY, revisionOf, sizeAnnotations } from './annotations.ts';
import { desiredReplicas, maxSurge, newReplicaSetSize, specReplicas } from './arithmetic.ts';

/** Label that tells the pods of one ReplicaSet from those of its siblings. */
export const TEMPLATE_HASH_LABEL = 'pod-template-hash';

export function byAge(left: ReplicaSet, right: ReplicaSet): number {
  const leftMs = timeMs(left.metadata?.creationTimestamp) ?? 0;
  const rightMs = timeMs(right.metadata?.creationTimestamp) ?? 0;
  if (leftMs !== rightMs) return leftMs - rightMs;
  return (left.metadata?.name ?? '') < (right.metadata?.name ?? '') ? -1 : 1;
}

export function byRevision(left: ReplicaSet, right: ReplicaSet): number {
  return revisionOf(left) - revisionOf(right) || byAge(left, right);
}

/** Whether two templates ask for the same pods, the hash label aside. */
export function sameTemplate(left: PodTemplateSpec | undefined, right: PodTemplateSpec | undefined): boolean {
  return canonicalJson(withoutHash(left)) === canonicalJson(withoutHash(right));
}

function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec | undefined {
  if (template?.metadata?.labels?.[TEMPLATE_HASH_LABEL] === undefined) return template;
  const { [TEMPLATE_HASH_LABEL]: _, ...labels } = template.metadata.labels;
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** The ReplicaSet of the current template: the oldest, should there be several. */
export function findNewest(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...replicaSets]
    .sort(byAge)
    .find((replicaSet) => sameTemplate(replicaSet.spec?.template, deployment.spec?.template));
}

/** The revision that the ReplicaSet of the current template must have at least. */
export function nextRevision(old: readonly ReplicaSet[]): number {
  return old.reduce((highest, replicaSet) => Math.max(highest, revisionOf(replicaSet)), 0) + 1;
}

/** The ReplicaSet to create for the current template, sized for the step the rollout is at. */
export function buildReplicaSet(deployment: Deployment, owner: Owner, old: readonly ReplicaSet[]): ReplicaSet {
  const template: PodTemplateSpec = deployment.spec?.template ?? {};
  const hash = templateHash(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH_LABEL]: hash };
  const selector = deployment.spec?.selector ?? {};
  const bare: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${owner.name}-${hash}`,
      namespace: owner.namespace,
      labels,
      ownerReferences: [controllerReference(owner)],
    },
    spec: {
      replicas: 0,
      minReadySeconds: deployment.spec?.minReadySeconds ?? 0,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  const desired = desiredReplicas(deployment);
  const { [REVISION_HISTORY]: _, ...inherited } = newestAnnotations(deployment, bare, nextRevision(old));
  return withReplicas(
    withAnnotations(bare, { ...inherited, ...sizeAnnotations(desired, desired + maxSurge(deployment)) }),
    newReplicaSetSize(deployment, old, undefined),
  );
}

export function withReplicas(replicaSet: ReplicaSet, replicas: number): ReplicaSet {
  if (replicaSet.spec === undefined || specReplicas(replicaSet) === replicas) return replicaSet;
  return { ...replicaSet, spec: { ...replicaSet.spec, replicas } };
}

export function withAnnotations(replicaSet: ReplicaSet, annotations: Readonly<Record<string, string>>): ReplicaSet {
  const metadata = replicaSet.metadata ?? {};
  return { ...replicaSet, metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } } };
}
