import type { ControllerRevision, PodTemplateSpec } from '@wherry/api';
import { controllerReference, type Owner } from '../pods/ownership.ts';
import { timeMs } from '../pods/readiness.ts';
import { canonicalJson, safeHash } from '../pods/template-hash.ts';

/** Revisions kept besides those in use. */
const HISTORY_LIMIT_DEFAULT = 10;

/** A strategic merge patch of the owner that brings a template back; kubectl rollout reads it. */
interface RevisionData {
  readonly spec?: { readonly template?: PodTemplateSpec & { readonly $patch?: string } };
}

export interface RevisionInput {
  readonly owner: Owner;
  readonly template: PodTemplateSpec;
  /** Label under which the revision carries its hash. */
  readonly hashLabel: string;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly collisionCount: number | undefined;
  /** Those the owner has. */
  readonly existing: readonly ControllerRevision[];
}

/** The revision of the present template, and what it takes to have it. */
export interface CurrentRevision {
  readonly revision: ControllerRevision;
  readonly step:
    | { readonly kind: 'none' }
    | { readonly kind: 'create' }
    | { readonly kind: 'renumber'; readonly number: number };
}

export function byRevisionNumber(left: ControllerRevision, right: ControllerRevision): number {
  if (left.revision !== right.revision) return left.revision - right.revision;
  const created = (revision: ControllerRevision) => timeMs(revision.metadata?.creationTimestamp) ?? 0;
  return created(left) - created(right) || (left.metadata?.name ?? '').localeCompare(right.metadata?.name ?? '');
}

/** A template that was current before becomes the newest again; a new one is added. */
export function findCurrentRevision(input: RevisionInput): CurrentRevision {
  const sorted = [...input.existing].sort(byRevisionNumber);
  const wanted = canonicalJson(templateData(input.template));
  const equal = sorted.filter((revision) => canonicalJson(revision.data) === wanted);
  const last = sorted.at(-1);
  const number = (last?.revision ?? 0) + 1;
  const same = equal.at(-1);
  if (same === undefined) return { revision: buildRevision(input, number), step: { kind: 'create' } };
  if (same === last) return { revision: same, step: { kind: 'none' } };
  return { revision: { ...same, revision: number }, step: { kind: 'renumber', number } };
}

function templateData(template: PodTemplateSpec): Readonly<Record<string, unknown>> {
  return { spec: { template: { ...template, $patch: 'replace' } } };
}

function buildRevision(input: RevisionInput, number: number): ControllerRevision {
  const { owner, template, hashLabel, annotations, collisionCount } = input;
  const data = templateData(template);
  const hash = safeHash(canonicalJson(data) + (collisionCount === undefined ? '' : `#${collisionCount}`));
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${owner.name}-${hash}`,
      namespace: owner.namespace,
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      ...(annotations !== undefined && { annotations }),
      ownerReferences: [controllerReference(owner)],
    },
    data,
    revision: number,
  };
}

/** The template that a revision stands for. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const { $patch: _, ...template } = (revision.data as RevisionData | undefined)?.spec?.template ?? {};
  return template;
}

/** The oldest revisions beyond the limit that nobody uses. */
export function surplusRevisions(
  existing: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
  limit = HISTORY_LIMIT_DEFAULT,
): readonly ControllerRevision[] {
  const unused = existing.filter((revision) => !isLive(revision)).sort(byRevisionNumber);
  return unused.slice(0, Math.max(0, unused.length - limit));
}
