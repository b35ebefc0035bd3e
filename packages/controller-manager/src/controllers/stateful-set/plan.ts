import {
  type ControllerRevision,
  isPodAvailable,
  isPodReady,
  type PersistentVolumeClaim,
  type Pod,
  type StatefulSet,
  type StatefulSetStatus,
  scaledValue,
} from '@wherry/api';
import type { Owner } from '../../pods/ownership.ts';
import { nextAvailabilityMs } from '../../pods/readiness.ts';
import { type CurrentRevision, findCurrentRevision, surplusRevisions, templateOf } from '../../revisions/revisions.ts';
import { omitZeros, sameStatus } from '../../status/zeros.ts';
import { type ClaimOwnership, planClaimOwners } from './claims.ts';
import { buildClaims, buildPod, identityLabels, ordinalOf, REVISION_LABEL } from './identity.ts';

const OPTIONAL_COUNTS = ['readyReplicas', 'currentReplicas', 'updatedReplicas'] as const;

export const REVISION_HASH_LABEL = 'controller.kubernetes.io/hash';

export interface StatefulSetInput {
  readonly set: StatefulSet;
  readonly owner: Owner;
  /** Those it owns. */
  readonly pods: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
  readonly claimOf: (name: string) => PersistentVolumeClaim | undefined;
  readonly nowMs: number;
}

export interface Deletion {
  readonly pod: Pod;
  readonly event:
    | { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string }
    | undefined;
}

export interface StatefulSetPlan {
  readonly revision: CurrentRevision['step'] & { readonly of: ControllerRevision };
  readonly deleteRevisions: readonly ControllerRevision[];
  /** Made before the pods that use them. */
  readonly createClaims: readonly PersistentVolumeClaim[];
  readonly claimOwners: readonly ClaimOwnership[];
  readonly create: readonly Pod[];
  readonly delete: readonly Deletion[];
  /** Pods whose identity labels were changed by somebody. */
  readonly relabel: readonly { readonly pod: Pod; readonly labels: Readonly<Record<string, string>> }[];
  readonly status: StatefulSetStatus | undefined;
  readonly requeueAfterMs: number | undefined;
  readonly why: string;
}

interface View extends StatefulSetInput {
  readonly first: number;
  readonly replicas: number;
  readonly minReadySeconds: number;
  /** One after the other. */
  readonly ordered: boolean;
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  readonly byOrdinal: ReadonlyMap<number, Pod>;
}

interface Steps {
  readonly create: Pod[];
  readonly delete: Deletion[];
  readonly why: string;
}

export function planStatefulSet(input: StatefulSetInput): StatefulSetPlan {
  const { set, owner, revisions, nowMs } = input;
  const found = findCurrentRevision({
    owner,
    template: set.spec?.template ?? {},
    hashLabel: REVISION_HASH_LABEL,
    annotations: set.metadata?.annotations,
    collisionCount: set.status?.collisionCount,
    existing: revisions,
  });
  const update = found.revision;
  const stored = revisions.find((revision) => revision.metadata?.name === set.status?.currentRevision);
  const byOrdinal = new Map<number, Pod>();
  for (const pod of input.pods) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal !== undefined) byOrdinal.set(ordinal, pod);
  }
  const view: View = {
    ...input,
    first: set.spec?.ordinals?.start ?? 0,
    replicas: set.spec?.replicas ?? 1,
    minReadySeconds: set.spec?.minReadySeconds ?? 0,
    ordered: (set.spec?.podManagementPolicy ?? 'OrderedReady') === 'OrderedReady',
    current: stored ?? update,
    update,
    byOrdinal,
  };
  const steps = owner.deleting ? { create: [], delete: [], why: 'it is being deleted' } : decide(view);
  const needed = new Set(steps.create.map((pod) => ordinalOf(set, pod) ?? 0));
  const status = computeStatus(view);
  const inUse = new Set(input.pods.map(revisionOf));
  const isLive = ({ metadata }: ControllerRevision) =>
    [view.current.metadata?.name, update.metadata?.name].includes(metadata?.name) || inUse.has(metadata?.name ?? '');
  return {
    revision: { ...found.step, of: update },
    deleteRevisions: surplusRevisions(revisions, isLive, set.spec?.revisionHistoryLimit),
    createClaims: owner.deleting ? [] : missingClaims(view, needed),
    claimOwners: planClaimOwners(view, new Set(condemned(view).map(([ordinal]) => ordinal))),
    create: steps.create,
    delete: steps.delete,
    relabel: misnamed(view),
    status: sameStatus(status, set.status) ? undefined : omitZeros(status, OPTIONAL_COUNTS),
    requeueAfterMs: nextAvailabilityMs(input.pods, view.minReadySeconds, nowMs),
    why: steps.why,
  };
}

/** Creations, then removals, then the update, each only when what comes before is done; ordered sets one at a time. */
function decide(view: View): Steps {
  const steps = { create: [] as Pod[], delete: [] as Deletion[] };
  for (let ordinal = view.first; ordinal < view.first + view.replicas; ordinal++) {
    const waits = bringUp(view, ordinal, steps);
    if (waits !== undefined && view.ordered) return { ...steps, why: waits };
  }
  const unhealthy = firstUnhealthy(view);
  for (const [ordinal, pod] of condemned(view)) {
    if (pod.metadata?.deletionTimestamp !== undefined) {
      if (view.ordered) return { ...steps, why: `pod ${ordinal} is ending` };
      continue;
    }
    if (view.ordered && !isAvailable(view, pod) && pod !== unhealthy) {
      return { ...steps, why: `another pod must be well before pod ${ordinal} goes` };
    }
    steps.delete.push({ pod, event: undefined });
    if (view.ordered) return { ...steps, why: `pod ${ordinal} is beyond ${view.replicas} replicas` };
  }
  if (steps.create.length + steps.delete.length > 0) return { ...steps, why: 'pods are missing or too many' };
  return rollingUpdate(view);
}

/** @returns what to wait for before the next ordinal */
function bringUp(view: View, ordinal: number, steps: { create: Pod[]; delete: Deletion[] }): string | undefined {
  const pod = view.byOrdinal.get(ordinal);
  if (pod === undefined) {
    steps.create.push(newPod(view, ordinal));
    return `pod ${ordinal} is missing`;
  }
  const terminating = pod.metadata?.deletionTimestamp !== undefined;
  const { phase } = pod.status ?? {};
  if (phase === 'Failed' || phase === 'Succeeded') {
    if (!terminating) steps.delete.push({ pod, event: recreating(view, pod, phase) });
    return `pod ${ordinal} has ended`;
  }
  if (terminating) return `pod ${ordinal} is ending`;
  return isAvailable(view, pod) ? undefined : `pod ${ordinal} is not available`;
}

function recreating({ owner }: View, pod: Pod, phase: string): Deletion['event'] {
  const [type, reason, what] =
    phase === 'Failed'
      ? (['Warning', 'RecreatingFailedPod', 'failed'] as const)
      : (['Normal', 'RecreatingTerminatedPod', 'terminated'] as const);
  const message = `StatefulSet ${owner.namespace}/${owner.name} is recreating ${what} Pod ${pod.metadata?.name}`;
  return { type, reason, message };
}

/** Pods below the partition, and those not yet reached by the update, come back in the old revision. */
function newPod(view: View, ordinal: number): Pod {
  const { set, owner, current, update, first } = view;
  const strategy = set.spec?.updateStrategy;
  const rolling = (strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
  const partition = strategy?.rollingUpdate?.partition ?? 0;
  const old = rolling && ordinal < first + partition;
  const revision = old ? current : update;
  return buildPod(set, owner, templateOf(revision), revision.metadata?.name ?? '', ordinal);
}

/** From the highest ordinal down, as many at once as may be unavailable. */
function rollingUpdate(view: View): Steps {
  const { set, update } = view;
  const strategy = set.spec?.updateStrategy;
  const steps = { create: [], delete: [] as Deletion[] };
  if ((strategy?.type ?? 'RollingUpdate') !== 'RollingUpdate')
    return { ...steps, why: 'pods are updated when deleted' };
  const { partition = 0, maxUnavailable = 1 } = strategy?.rollingUpdate ?? {};
  const most = Math.max(1, scaledValue(maxUnavailable, view.replicas, 'up') ?? 1);
  const members = [...view.byOrdinal].filter(
    ([ordinal]) => ordinal >= view.first && ordinal < view.first + view.replicas,
  );
  let unavailable = members.filter(([, pod]) => !isAvailable(view, pod)).length;
  for (const [ordinal, pod] of members.sort(([left], [right]) => right - left)) {
    if (ordinal < view.first + partition) break;
    if (revisionOf(pod) === update.metadata?.name || pod.metadata?.deletionTimestamp !== undefined) continue;
    const broken = !isAvailable(view, pod);
    if (!broken && unavailable >= most) break;
    if (!broken) unavailable++;
    steps.delete.push({ pod, event: undefined });
    if (steps.delete.length >= most) break;
  }
  const why = steps.delete.length > 0 ? `pods are not of revision ${update.metadata?.name}` : 'status changed';
  return { ...steps, why };
}

/** Pods beyond the replicas, highest ordinal first. */
function condemned(view: View): readonly (readonly [number, Pod])[] {
  const { first, replicas } = view;
  return [...view.byOrdinal]
    .filter(([ordinal]) => ordinal < first || ordinal >= first + replicas)
    .sort(([left], [right]) => right - left);
}

function firstUnhealthy(view: View): Pod | undefined {
  const sorted = [...view.byOrdinal].sort(([left], [right]) => left - right).map(([, pod]) => pod);
  return sorted.find((pod) => !isAvailable(view, pod));
}

function isAvailable(view: View, pod: Pod): boolean {
  if (pod.metadata?.deletionTimestamp !== undefined) return false;
  return pod.status?.phase === 'Running' && isPodAvailable(pod, view.minReadySeconds, view.nowMs);
}

export function revisionOf(pod: Pod): string {
  return pod.metadata?.labels?.[REVISION_LABEL] ?? '';
}

/** Claims of the pods about to be made, and of pending pods that lost theirs. */
function missingClaims(view: View, needed: ReadonlySet<number>): readonly PersistentVolumeClaim[] {
  const ordinals = new Set(needed);
  for (const [ordinal, pod] of view.byOrdinal) if (pod.status?.phase === 'Pending') ordinals.add(ordinal);
  return [...ordinals]
    .flatMap((ordinal) => buildClaims(view.set, ordinal))
    .filter((claim) => view.claimOf(claim.metadata?.name ?? '') === undefined);
}

function misnamed(view: View): StatefulSetPlan['relabel'] {
  return [...view.byOrdinal].flatMap(([ordinal, pod]) => {
    const labels = identityLabels(view.set, ordinal);
    const same = Object.entries(labels).every(([key, value]) => pod.metadata?.labels?.[key] === value);
    return same || pod.metadata?.deletionTimestamp !== undefined ? [] : [{ pod, labels }];
  });
}

function computeStatus(view: View): StatefulSetStatus {
  const { set, update, current, replicas } = view;
  const pods = [...view.byOrdinal.values()];
  const alive = pods.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
  const running = pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod));
  const [currentName = '', updateName = ''] = [current.metadata?.name, update.metadata?.name];
  const ofRevision = (name: string) => alive.filter((pod) => revisionOf(pod) === name).length;
  const updated = ofRevision(updateName);
  const rolling = (set.spec?.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
  const complete = rolling && updated === replicas && running.length === replicas && pods.length === replicas;
  const { collisionCount, conditions } = set.status ?? {};
  return {
    observedGeneration: set.metadata?.generation ?? 0,
    replicas: pods.length,
    readyReplicas: running.length,
    availableReplicas: running.filter((pod) => isPodAvailable(pod, view.minReadySeconds, view.nowMs)).length,
    currentReplicas: complete ? updated : ofRevision(currentName),
    updatedReplicas: updated,
    currentRevision: complete ? updateName : currentName,
    updateRevision: updateName,
    collisionCount: collisionCount ?? 0,
    ...(conditions !== undefined && { conditions }),
  };
}
