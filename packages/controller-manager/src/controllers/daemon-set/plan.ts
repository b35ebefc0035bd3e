import {
  type ControllerRevision,
  type DaemonSet,
  type DaemonSetStatus,
  isPodAvailable,
  isPodReady,
  type Node,
  type Pod,
  scaledValue,
} from '@wherry/api';
import type { Owner } from '../../pods/ownership.ts';
import { nextAvailabilityMs, timeMs } from '../../pods/readiness.ts';
import { type CurrentRevision, findCurrentRevision, surplusRevisions } from '../../revisions/revisions.ts';
import { omitZeros, sameStatus } from '../../status/zeros.ts';
import { daemonPod, REVISION_LABEL } from './new-pods.ts';
import { type Placement, place, targetNode } from './placement.ts';

const OPTIONAL_COUNTS = ['updatedNumberScheduled', 'numberAvailable', 'numberUnavailable'] as const;

/** Pods created or deleted at most in one go. */
const BURST_PODS_MAX = 250;

export interface DaemonSetInput {
  readonly set: DaemonSet;
  readonly owner: Owner;
  readonly nodes: readonly Node[];
  /** Those it owns. */
  readonly pods: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
  readonly nowMs: number;
}

export interface DaemonEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface DaemonDeletion {
  readonly pod: Pod;
  /** Its containers ended: replaced with a back-off per node. */
  readonly ended: boolean;
  readonly event: DaemonEvent | undefined;
}

export interface DaemonSetPlan {
  readonly revision: CurrentRevision['step'] & { readonly of: ControllerRevision };
  readonly deleteRevisions: readonly ControllerRevision[];
  readonly create: readonly Pod[];
  readonly delete: readonly DaemonDeletion[];
  readonly status: DaemonSetStatus | undefined;
  readonly requeueAfterMs: number | undefined;
  readonly why: string;
}

interface View extends DaemonSetInput {
  readonly hash: string;
  readonly minReadySeconds: number;
  /** Nodes with what they are to have and what they have. */
  readonly places: readonly Place[];
  readonly surge: number;
  readonly unavailable: number;
}

interface Place extends Placement {
  readonly node: string;
  readonly pods: readonly Pod[];
}

export function planDaemonSet(input: DaemonSetInput): DaemonSetPlan {
  const { set, owner, revisions } = input;
  const found = findCurrentRevision({
    owner,
    template: set.spec?.template ?? {},
    hashLabel: REVISION_LABEL,
    annotations: set.metadata?.annotations,
    collisionCount: set.status?.collisionCount,
    existing: revisions,
  });
  const hash = found.revision.metadata?.labels?.[REVISION_LABEL] ?? '';
  const view = look(input, hash);
  const managed = owner.deleting ? NOTHING : manage(view);
  const idle = managed.create.length + managed.delete.length === 0;
  const updated = idle && !owner.deleting ? update(view) : NOTHING;
  const create = [...managed.create, ...updated.create].slice(0, BURST_PODS_MAX);
  const status = computeStatus(view);
  const inUse = new Set(input.pods.map(hashOf));
  const isLive = (revision: ControllerRevision) => inUse.has(revision.metadata?.labels?.[REVISION_LABEL] ?? '');
  return {
    revision: { ...found.step, of: found.revision },
    deleteRevisions: surplusRevisions(
      revisions.filter(({ metadata }) => metadata?.name !== found.revision.metadata?.name),
      isLive,
      set.spec?.revisionHistoryLimit,
    ),
    create: create.map((node) => daemonPod(set, owner, hash, node)),
    delete: [...managed.delete, ...updated.delete].slice(0, BURST_PODS_MAX),
    status: sameStatus(status, set.status) ? undefined : omitZeros(status, OPTIONAL_COUNTS),
    requeueAfterMs: nextAvailabilityMs(input.pods, view.minReadySeconds, input.nowMs),
    why: `${view.places.filter(({ runs }) => runs).length} nodes want it, ${input.pods.length} pods exist`,
  };
}

interface Changes {
  readonly create: readonly string[];
  readonly delete: readonly DaemonDeletion[];
}

const NOTHING: Changes = { create: [], delete: [] };

function look(input: DaemonSetInput, hash: string): View {
  const { set, nodes } = input;
  const template = set.spec?.template ?? {};
  const byNode = Map.groupBy(input.pods, (pod) => targetNode(pod) ?? '');
  const places = nodes.map((node): Place => {
    const name = node.metadata?.name ?? '';
    return { ...place(template, node), node: name, pods: byNode.get(name) ?? [] };
  });
  const desired = places.filter(({ runs }) => runs).length;
  const { maxSurge = 0, maxUnavailable = 1 } = set.spec?.updateStrategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, desired, 'up') ?? 0;
  const unavailable = scaledValue(maxUnavailable, desired, 'up') ?? 1;
  // Neither above nor below the wanted number nothing could be replaced.
  const stuck = surge === 0 && unavailable === 0;
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  return { ...input, hash, minReadySeconds, places, surge, unavailable: stuck ? 1 : unavailable };
}

/** One pod on each node that wants one, none elsewhere. */
function manage(view: View): Changes {
  const create: string[] = [];
  const remove: DaemonDeletion[] = [];
  for (const { node, runs, stays, pods } of view.places) {
    const alive = pods.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
    if (runs && pods.length === 0) create.push(node);
    if (!stays) {
      remove.push(...alive.map((pod) => ({ pod, ended: false, event: undefined })));
      continue;
    }
    const ended = alive.filter((pod) => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded');
    remove.push(...ended.map((pod) => ({ pod, ended: true, event: endedEvent(pod, node) })));
    remove.push(
      ...surplus(
        view,
        alive.filter((pod) => !ended.includes(pod)),
      ),
    );
  }
  const known = new Set(view.places.map(({ node }) => node));
  for (const pod of view.pods) {
    // Meant for a node that is gone: it would wait for ever. Pods that were bound are the pod collector's.
    const lost = (pod.spec?.nodeName ?? '') === '' && !known.has(targetNode(pod) ?? '');
    if (lost && pod.metadata?.deletionTimestamp === undefined) remove.push({ pod, ended: false, event: undefined });
  }
  return { create, delete: remove };
}

function endedEvent(pod: Pod, node: string): DaemonEvent {
  const { namespace, name } = pod.metadata ?? {};
  return pod.status?.phase === 'Failed'
    ? {
        type: 'Warning',
        reason: 'FailedDaemonPod',
        message: `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`,
      }
    : {
        type: 'Normal',
        reason: 'SucceededDaemonPod',
        message: `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`,
      };
}

/** Of several pods on one node the oldest stays; with surge, an old one and its successor may stay together. */
function surplus(view: View, alive: readonly Pod[]): readonly DaemonDeletion[] {
  if (alive.length <= 1) return [];
  const sorted = [...alive].sort((left, right) => age(left) - age(right));
  const keep = new Set<Pod>();
  if (view.surge > 0) {
    const fresh = sorted.find((pod) => hashOf(pod) === view.hash);
    const old = sorted.find((pod) => hashOf(pod) !== view.hash);
    if (fresh !== undefined) keep.add(fresh);
    // The predecessor is needed until its successor serves.
    if (old !== undefined && (fresh === undefined || !isAvailable(view, fresh))) keep.add(old);
  } else {
    const [oldest] = sorted;
    if (oldest !== undefined) keep.add(oldest);
  }
  return sorted.filter((pod) => !keep.has(pod)).map((pod) => ({ pod, ended: false, event: undefined }));
}

function age(pod: Pod): number {
  // Bound pods count as older: they are further along.
  const bound = (pod.spec?.nodeName ?? '') === '' ? 1e15 : 0;
  return bound + (timeMs(pod.metadata?.creationTimestamp) ?? 0);
}

function update(view: View): Changes {
  if ((view.set.spec?.updateStrategy?.type ?? 'RollingUpdate') !== 'RollingUpdate') return NOTHING;
  return view.surge > 0 ? updateWithSurge(view) : updateInPlace(view);
}

/** Deletes old pods as far as that leaves no more unavailable than allowed; those that serve nobody at once. */
function updateInPlace(view: View): Changes {
  let unavailable = 0;
  const broken: Pod[] = [];
  const healthy: Pod[] = [];
  for (const { runs, pods } of view.places) {
    if (!runs) continue;
    const { fresh, old } = versions(view, pods);
    if ((fresh === undefined) === (old === undefined)) unavailable++;
    else if (fresh !== undefined) unavailable += Number(!isAvailable(view, fresh));
    else if (old !== undefined) {
      if (isAvailable(view, old)) healthy.push(old);
      else {
        unavailable++;
        broken.push(old);
      }
    }
  }
  const count = Math.max(0, view.unavailable - unavailable);
  const pods = [...broken, ...healthy.slice(0, count)];
  return { create: [], delete: pods.map((pod) => ({ pod, ended: false, event: undefined })) };
}

/** Starts successors beside old pods, as many as may surge; an old pod goes once its successor serves. */
function updateWithSurge(view: View): Changes {
  let surging = 0;
  const urgent: string[] = [];
  const candidates: string[] = [];
  const remove: DaemonDeletion[] = [];
  for (const { node, runs, pods } of view.places) {
    if (!runs) continue;
    const { fresh, old } = versions(view, pods);
    if (old === undefined) continue;
    if (fresh === undefined) (isAvailable(view, old) ? candidates : urgent).push(node);
    else if (isAvailable(view, fresh)) remove.push({ pod: old, ended: false, event: undefined });
    else surging++;
  }
  const count = Math.max(0, view.surge - surging);
  return { create: [...urgent, ...candidates.slice(0, count)], delete: remove };
}

function versions(
  view: View,
  pods: readonly Pod[],
): { readonly fresh: Pod | undefined; readonly old: Pod | undefined } {
  const alive = pods.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
  return {
    fresh: alive.find((pod) => hashOf(pod) === view.hash),
    old: alive.find((pod) => hashOf(pod) !== view.hash),
  };
}

function isAvailable(view: View, pod: Pod): boolean {
  return isPodAvailable(pod, view.minReadySeconds, view.nowMs);
}

function hashOf(pod: Pod): string {
  return pod.metadata?.labels?.[REVISION_LABEL] ?? '';
}

function computeStatus(view: View): DaemonSetStatus {
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const { runs, pods } of view.places) {
    const [oldest] = [...pods].sort((left, right) => age(left) - age(right));
    if (!runs) {
      counts.misscheduled += Number(oldest !== undefined);
      continue;
    }
    counts.desired++;
    if (oldest === undefined) continue;
    counts.current++;
    counts.ready += Number(isPodReady(oldest));
    counts.available += Number(isAvailable(view, oldest));
    counts.updated += Number(hashOf(oldest) === view.hash);
  }
  const { collisionCount, conditions } = view.set.status ?? {};
  return {
    observedGeneration: view.set.metadata?.generation ?? 0,
    desiredNumberScheduled: counts.desired,
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    numberReady: counts.ready,
    numberAvailable: counts.available,
    numberUnavailable: counts.desired - counts.available,
    updatedNumberScheduled: counts.updated,
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions !== undefined && { conditions }),
  };
}
