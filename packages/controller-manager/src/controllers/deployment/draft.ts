import type { Deployment, ReplicaSet } from '@wherry/api';
import { DESIRED_REPLICAS, MAX_REPLICAS, sizeAnnotations } from './annotations.ts';
import { annotatedNumber, desiredReplicas, maxSurge, specReplicas } from './arithmetic.ts';
import { withAnnotations, withReplicas } from './replica-sets.ts';

export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export type DeploymentAction =
  | { readonly kind: 'create'; readonly replicaSet: ReplicaSet; readonly event: PlannedEvent | undefined }
  | {
      readonly kind: 'update';
      readonly replicaSet: ReplicaSet;
      /** undefined leaves the size alone */
      readonly replicas: number | undefined;
      readonly minReadySeconds: number | undefined;
      readonly annotations: Readonly<Record<string, string>>;
      readonly event: PlannedEvent | undefined;
    }
  | { readonly kind: 'delete'; readonly replicaSet: ReplicaSet };

/** The ReplicaSets as they will be once the actions collected so far are done. */
export class Draft {
  readonly deployment: Deployment;
  readonly actions: DeploymentAction[] = [];
  readonly why: string[] = [];
  readonly #replicaSets = new Map<string, ReplicaSet>();
  readonly #sizeAnnotations: Readonly<Record<string, string>>;

  constructor(deployment: Deployment, replicaSets: readonly ReplicaSet[]) {
    this.deployment = deployment;
    const desired = desiredReplicas(deployment);
    this.#sizeAnnotations = sizeAnnotations(desired, desired + maxSurge(deployment));
    for (const replicaSet of replicaSets) this.#replicaSets.set(nameOf(replicaSet), replicaSet);
  }

  get all(): readonly ReplicaSet[] {
    return [...this.#replicaSets.values()];
  }

  /** The ReplicaSet of that name as it will be. */
  current(replicaSet: ReplicaSet): ReplicaSet {
    return this.#replicaSets.get(nameOf(replicaSet)) ?? replicaSet;
  }

  create(replicaSet: ReplicaSet): void {
    const replicas = specReplicas(replicaSet);
    const event = replicas > 0 ? scaled('up', replicaSet, 0, replicas) : undefined;
    this.#replicaSets.set(nameOf(replicaSet), replicaSet);
    this.actions.push({ kind: 'create', replicaSet, event });
    this.why.push(`no ReplicaSet has the current template: create ${nameOf(replicaSet)} with ${replicas}`);
  }

  /** Annotations and minReadySeconds of the newest ReplicaSet, before anything is scaled. */
  adjust(
    replicaSet: ReplicaSet,
    annotations: Readonly<Record<string, string>>,
    minReadySeconds: number | undefined,
  ): void {
    if (Object.keys(annotations).length === 0 && minReadySeconds === undefined) return;
    this.actions.push({
      kind: 'update',
      replicaSet,
      replicas: undefined,
      minReadySeconds,
      annotations,
      event: undefined,
    });
    this.why.push(`${nameOf(replicaSet)} takes over the Deployment's annotations`);
    this.#replicaSets.set(nameOf(replicaSet), withAnnotations(replicaSet, annotations));
  }

  /** @returns whether its size changes; size annotations alone may be brought up to date as well */
  scale(replicaSet: ReplicaSet, replicas: number, why: string): boolean {
    const current = this.current(replicaSet);
    const from = specReplicas(current);
    const annotated =
      annotatedNumber(current, DESIRED_REPLICAS) === Number(this.#sizeAnnotations[DESIRED_REPLICAS]) &&
      annotatedNumber(current, MAX_REPLICAS) === Number(this.#sizeAnnotations[MAX_REPLICAS]);
    if (from === replicas && annotated) return false;
    const resized = from !== replicas;
    this.actions.push({
      kind: 'update',
      replicaSet: current,
      replicas: resized ? replicas : undefined,
      minReadySeconds: undefined,
      annotations: this.#sizeAnnotations,
      event: resized ? scaled(replicas > from ? 'up' : 'down', current, from, replicas) : undefined,
    });
    if (resized) this.why.push(`${nameOf(current)} ${from} → ${replicas}: ${why}`);
    this.#replicaSets.set(nameOf(current), withAnnotations(withReplicas(current, replicas), this.#sizeAnnotations));
    return resized;
  }

  remove(replicaSet: ReplicaSet): void {
    this.actions.push({ kind: 'delete', replicaSet });
    this.why.push(`${nameOf(replicaSet)} is beyond the history limit`);
  }
}

function scaled(direction: 'up' | 'down', replicaSet: ReplicaSet, from: number, to: number): PlannedEvent {
  return {
    type: 'Normal',
    reason: 'ScalingReplicaSet',
    message: `Scaled ${direction} replica set ${nameOf(replicaSet)} from ${from} to ${to}`,
  };
}

function nameOf(replicaSet: ReplicaSet): string {
  return replicaSet.metadata?.name ?? '';
}
