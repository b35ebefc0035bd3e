import type { Deployment, ReplicaSet } from '@wherry/api';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/** A Deployment's annotations that its ReplicaSets do not inherit. */
const NOT_INHERITED: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);

/** Length of the list of revisions a ReplicaSet has had. */
const REVISION_HISTORY_CHARS_MAX = 2000;

type Annotations = Readonly<Record<string, string>>;

export function revisionOf(object: Deployment | ReplicaSet): number {
  const text = object.metadata?.annotations?.[REVISION];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0;
}

/** Annotations that say how large the Deployment was when the ReplicaSet got its size. */
export function sizeAnnotations(desired: number, max: number): Annotations {
  return { [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(max) };
}

/**
 * Annotations the newest ReplicaSet must have: those inherited from the Deployment and its revision, which only
 * grows; the revisions it had before (it is newest again after a rollback) are kept as a list.
 * @returns only the annotations that differ from what it has
 */
export function newestAnnotations(deployment: Deployment, replicaSet: ReplicaSet, newRevision: number): Annotations {
  const current = replicaSet.metadata?.annotations ?? {};
  const changes: Record<string, string> = {};
  for (const [key, value] of Object.entries(deployment.metadata?.annotations ?? {})) {
    if (!NOT_INHERITED.has(key) && current[key] !== value) changes[key] = value;
  }
  const oldRevision = revisionOf(replicaSet);
  if (oldRevision < newRevision) {
    changes[REVISION] = String(newRevision);
    const old = current[REVISION];
    if (old !== undefined && old !== '') changes[REVISION_HISTORY] = appendHistory(current[REVISION_HISTORY], old);
  }
  return changes;
}

/** Drops the oldest entries while the list would be too long. */
function appendHistory(history: string | undefined, revision: string): string {
  if (history === undefined || history === '') return revision;
  const entries = history.split(',');
  while (entries.length > 0 && entries.join(',').length + 1 + revision.length > REVISION_HISTORY_CHARS_MAX) {
    entries.shift();
  }
  return [...entries, revision].join(',');
}
