import { type Deployment, type DeploymentStatus, isPodTerminal, type Pod, type ReplicaSet } from '@wherry/api';
import type { Owner } from '../../pods/ownership.ts';
import { omitZeros, sameStatus } from '../../status/zeros.ts';
import { DESIRED_REPLICAS, newestAnnotations, REVISION, revisionOf } from './annotations.ts';
import { annotatedNumber, desiredReplicas, isRolling, specReplicas, statusReplicas, sumOf } from './arithmetic.ts';
import { type DeploymentAction, Draft, type PlannedEvent } from './draft.ts';
import { buildReplicaSet, byRevision, findNewest, nextRevision } from './replica-sets.ts';
import {
  type Conditions,
  computeStatus,
  deadlineCheckMs,
  findCondition,
  hasDeadline,
  isComplete,
  rolloutStatus,
  withCondition,
} from './status.ts';
import { rollingStep, scaleProportionally } from './steps.ts';

export interface DeploymentInput {
  readonly deployment: Deployment;
  readonly owner: Owner;
  /** Those it owns. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Pods of one of them; only asked when strategy is Recreate. */
  readonly podsOf: (replicaSet: ReplicaSet) => readonly Pod[];
  readonly nowMs: number;
  /** The same instant as metav1.Time. */
  readonly now: string;
}

export interface DeploymentPlan {
  readonly actions: readonly DeploymentAction[];
  /** Only when it differs from the stored one. */
  readonly status: DeploymentStatus | undefined;
  /** New value of the Deployment's revision annotation, written along with the status. */
  readonly revision: string | undefined;
  readonly events: readonly PlannedEvent[];
  readonly requeueAfterMs: number | undefined;
  readonly why: string;
}

const OPTIONAL_COUNTS = [
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
] as const;

const SELECTS_ALL: PlannedEvent = {
  type: 'Warning',
  reason: 'SelectingAll',
  message: 'This deployment is selecting all pods. A non-empty selector is required.',
};

/** One level-based step of a Deployment: what to do to its ReplicaSets, and its status if that works out. */
export function planDeployment(input: DeploymentInput): DeploymentPlan {
  const selector = input.deployment.spec?.selector;
  const selectsAll =
    Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0;
  if (selectsAll) return refuse(input.deployment);
  const deployment = withPauseCondition(input.deployment, input.now);
  const draft = new Draft(deployment, input.replicaSets);
  const newest = findNewest(deployment, input.replicaSets);
  if (deployment.metadata?.deletionTimestamp !== undefined) {
    return finish(input, draft, computeStatus(deployment, draft.all, newest, input.now), undefined);
  }
  const old = input.replicaSets.filter((replicaSet) => replicaSet !== newest);
  const paused = deployment.spec?.paused === true;
  if (paused || isScaled(deployment, input.replicaSets)) {
    const known = newest === undefined ? undefined : adjustNewest(draft, newest, old, input.now);
    scaleProportionally(draft, known?.newest, old);
    if (paused) cleanUp(draft, old);
    const current = known === undefined ? undefined : draft.current(known.newest);
    const basis = known?.deployment ?? deployment;
    return finish(input, draft, computeStatus(basis, draft.all, current, input.now), known?.revision);
  }
  return isRolling(deployment) ? rollOut(input, draft, newest, old) : recreate(input, draft, newest, old);
}

function refuse(deployment: Deployment): DeploymentPlan {
  const generation = deployment.metadata?.generation ?? 0;
  const observed = deployment.status?.observedGeneration ?? 0;
  return {
    actions: [],
    status: observed < generation ? { ...deployment.status, observedGeneration: generation } : undefined,
    revision: undefined,
    events: [SELECTS_ALL],
    requeueAfterMs: undefined,
    why: 'the selector is empty',
  };
}

function rollOut(
  input: DeploymentInput,
  draft: Draft,
  found: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): DeploymentPlan {
  const { deployment, newest, revision } = ensureNewest(input, draft, found, old);
  const scaled = rollingStep(draft, newest, old);
  if (!scaled && isComplete(deployment, deployment.status ?? {})) cleanUp(draft, old);
  return finish(input, draft, rolloutStatus(deployment, draft.all, draft.current(newest), input), revision);
}

function recreate(
  input: DeploymentInput,
  draft: Draft,
  found: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): DeploymentPlan {
  const known = found === undefined ? undefined : adjustNewest(draft, found, old, input.now);
  let scaledDown = false;
  for (const replicaSet of old.filter((entry) => specReplicas(entry) > 0)) {
    scaledDown = draft.scale(replicaSet, 0, 'the old replicas end before new ones start') || scaledDown;
  }
  if (scaledDown || oldPodsRun(input, old)) {
    const current = known === undefined ? undefined : draft.current(known.newest);
    const basis = known?.deployment ?? draft.deployment;
    return finish(input, draft, rolloutStatus(basis, draft.all, current, input), known?.revision);
  }
  const { deployment, newest, revision } = known ?? ensureNewest(input, draft, found, old);
  draft.scale(newest, desiredReplicas(deployment), 'no old pod runs any more');
  if (isComplete(deployment, deployment.status ?? {})) cleanUp(draft, old);
  return finish(input, draft, rolloutStatus(deployment, draft.all, draft.current(newest), input), revision);
}

function oldPodsRun(input: DeploymentInput, old: readonly ReplicaSet[]): boolean {
  if (sumOf(old, statusReplicas) > 0) return true;
  return old.some((replicaSet) => input.podsOf(replicaSet).some((pod) => !isPodTerminal(pod)));
}

/** The newest ReplicaSet with what goes along with it. */
interface Newest {
  readonly newest: ReplicaSet;
  /** The Deployment with the condition that tells of it. */
  readonly deployment: Deployment;
  readonly revision: string | undefined;
}

function ensureNewest(
  input: DeploymentInput,
  draft: Draft,
  found: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): Newest {
  if (found !== undefined) return adjustNewest(draft, found, old, input.now);
  const created = buildReplicaSet(draft.deployment, input.owner, old);
  draft.create(created);
  const name = created.metadata?.name ?? '';
  const deployment = hasDeadline(draft.deployment)
    ? withProgress(draft.deployment, 'NewReplicaSetCreated', `Created new replica set "${name}"`, input.now)
    : draft.deployment;
  return { newest: created, deployment, revision: changedRevision(deployment, created) };
}

function adjustNewest(draft: Draft, found: ReplicaSet, old: readonly ReplicaSet[], now: string): Newest {
  const annotations = newestAnnotations(draft.deployment, found, nextRevision(old));
  const wanted = draft.deployment.spec?.minReadySeconds ?? 0;
  draft.adjust(found, annotations, (found.spec?.minReadySeconds ?? 0) === wanted ? undefined : wanted);
  const newest = draft.current(found);
  const unknown = findCondition(draft.deployment.status?.conditions, 'Progressing') === undefined;
  const deployment =
    hasDeadline(draft.deployment) && unknown
      ? withProgress(draft.deployment, 'FoundNewReplicaSet', `Found new replica set "${found.metadata?.name}"`, now)
      : draft.deployment;
  return { newest, deployment, revision: changedRevision(deployment, newest) };
}

function changedRevision(deployment: Deployment, newest: ReplicaSet): string | undefined {
  const revision = String(revisionOf(newest));
  return deployment.metadata?.annotations?.[REVISION] === revision ? undefined : revision;
}

function withProgress(deployment: Deployment, reason: string, message: string, now: string): Deployment {
  return withConditions(deployment, (conditions) =>
    withCondition(conditions, { type: 'Progressing', status: 'True', reason, message }, now),
  );
}

function withPauseCondition(deployment: Deployment, now: string): Deployment {
  const progressing = findCondition(deployment.status?.conditions, 'Progressing');
  if (!hasDeadline(deployment) || progressing?.reason === 'ProgressDeadlineExceeded') return deployment;
  const paused = deployment.spec?.paused === true;
  if (paused === (progressing?.reason === 'DeploymentPaused')) return deployment;
  const condition = paused
    ? { reason: 'DeploymentPaused', message: 'Deployment is paused' }
    : { reason: 'DeploymentResumed', message: 'Deployment is resumed' };
  return withConditions(deployment, (conditions) =>
    withCondition(conditions, { type: 'Progressing', status: 'Unknown', ...condition }, now),
  );
}

function withConditions(deployment: Deployment, change: (conditions: Conditions) => Conditions): Deployment {
  const conditions = change(deployment.status?.conditions ?? []);
  return { ...deployment, status: { ...deployment.status, conditions } };
}

/** The Deployment was resized since its ReplicaSets got their sizes. */
function isScaled(deployment: Deployment, replicaSets: readonly ReplicaSet[]): boolean {
  const desired = desiredReplicas(deployment);
  return replicaSets.some((replicaSet) => {
    const annotated = annotatedNumber(replicaSet, DESIRED_REPLICAS);
    return specReplicas(replicaSet) > 0 && annotated !== undefined && annotated !== desired;
  });
}

/** Deletes the oldest revisions beyond the history limit, never one that has or awaits pods. */
function cleanUp(draft: Draft, old: readonly ReplicaSet[]): void {
  const limit = draft.deployment.spec?.revisionHistoryLimit;
  if (limit === undefined) return;
  const alive = old.filter((replicaSet) => replicaSet.metadata?.deletionTimestamp === undefined).sort(byRevision);
  for (const replicaSet of alive.slice(0, Math.max(0, alive.length - limit))) {
    const { generation = 0 } = replicaSet.metadata ?? {};
    const settled = generation <= (replicaSet.status?.observedGeneration ?? 0);
    if (specReplicas(draft.current(replicaSet)) === 0 && statusReplicas(replicaSet) === 0 && settled) {
      draft.remove(replicaSet);
    }
  }
}

function finish(
  input: DeploymentInput,
  draft: Draft,
  status: DeploymentStatus,
  revision: string | undefined,
): DeploymentPlan {
  const changed = !sameStatus(status, input.deployment.status);
  return {
    actions: draft.actions,
    status: changed || revision !== undefined ? omitZeros(status, OPTIONAL_COUNTS) : undefined,
    revision,
    events: [],
    requeueAfterMs: deadlineCheckMs(input.deployment, status, input.nowMs),
    why: draft.why.join('; ') || 'status changed',
  };
}
