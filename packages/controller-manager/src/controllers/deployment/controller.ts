import {
  controllerOf,
  type Deployment,
  isAlreadyExists,
  isNotFound,
  objectKey,
  type Pod,
  type ReplicaSet,
  resources,
} from '@wherry/api';
import type { EventRecorder, Informer, Outcome, PlanRecord } from '@wherry/client';
import { rfc3339 } from '@wherry/daemon';
import { adoptionPatch, claim, type Owner, ownerOf, releasePatch } from '../../pods/ownership.ts';
import { actOnEach } from '../../spine/batches.ts';
import { BY_CONTROLLER, ORPHANS } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { isNamespaceTerminating, textOf } from '../../spine/pod-actions.ts';
import { orphanOwners } from '../../spine/pod-owners.ts';
import { REVISION } from './annotations.ts';
import type { DeploymentAction } from './draft.ts';
import { type DeploymentPlan, planDeployment } from './plan.ts';
import { sameTemplate } from './replica-sets.ts';
import { withCondition } from './status.ts';

export function startDeployments(context: ControllerContext): void {
  new DeploymentController(context).start();
}

/** One reconciliation under way. */
interface Turn {
  readonly key: string;
  readonly deployment: Deployment;
  readonly owner: Owner;
  readonly signal: AbortSignal;
  readonly done: PlanRecord['actions'][number][];
}

class DeploymentController {
  readonly #context: ControllerContext;
  readonly #deployments: Informer<Deployment>;
  readonly #replicaSets: Informer<ReplicaSet>;
  readonly #pods: Informer<Pod>;
  readonly #keyed: Keyed;
  readonly #recorder: EventRecorder;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#deployments = context.caches.of(resources.deployments);
    this.#replicaSets = context.caches.of(resources.replicasets);
    this.#pods = context.caches.pods;
    this.#keyed = new Keyed(context, 'deployment-controller');
    this.#recorder = context.recorder('deployment-controller');
  }

  start(): void {
    this.#keyed.followOwn(this.#deployments);
    this.#keyed.follow(this.#replicaSets, ({ object, previous }) => {
      const keys = [object, previous].map((version) => deploymentKeyOf(version));
      if (controllerOf(object.metadata) !== undefined) return keys;
      return [...keys, ...orphanOwners(this.#deployments, object, (deployment) => deployment.spec?.selector)];
    });
    // Recreate waits for the last old pod to go; the ReplicaSet's status does not tell.
    this.#keyed.follow(this.#pods, (change) => (change.kind === 'deleted' ? [this.#recreateKeyOf(change.object)] : []));
    const caches = [anyCache(this.#deployments), anyCache(this.#replicaSets), anyCache(this.#pods)];
    this.#keyed.run(this.#context.options.concurrent.deployment, caches, (key, signal) => this.#reconcile(key, signal));
  }

  #recreateKeyOf(pod: Pod): string | undefined {
    const owner = controllerOf(pod.metadata);
    if (owner?.kind !== 'ReplicaSet') return undefined;
    const key = deploymentKeyOf(this.#replicaSets.get(`${pod.metadata?.namespace ?? ''}/${owner.name}`));
    if (key === undefined) return undefined;
    return this.#deployments.get(key)?.spec?.strategy?.type === 'Recreate' ? key : undefined;
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const deployment = this.#deployments.get(key);
    if (deployment?.spec === undefined) {
      this.#keyed.own.forget(key);
      return undefined;
    }
    const owner = ownerOf('apps/v1', 'Deployment', deployment);
    const turn: Turn = { key, deployment, owner, signal, done: [] };
    const claimed = claim(owner, deployment.spec.selector, [
      ...this.#replicaSets.byIndex(BY_CONTROLLER, owner.uid),
      ...this.#replicaSets.byIndex(ORPHANS, owner.namespace),
    ]);
    if (claimed.adopt.length + claimed.release.length > 0) {
      await this.#settleOwnership(turn, claimed.adopt, claimed.release);
      this.#keyed.acted(
        key,
        [deployment, ...claimed.adopt, ...claimed.release],
        'selector and owner differ',
        turn.done,
      );
      this.#keyed.queue.add(key);
      return undefined;
    }
    const nowMs = this.#context.clock.now();
    const plan = planDeployment({
      deployment,
      owner,
      replicaSets: claimed.owned,
      podsOf: (replicaSet) => this.#pods.byIndex(BY_CONTROLLER, replicaSet.metadata?.uid ?? ''),
      nowMs,
      now: rfc3339(nowMs),
    });
    const regarding = referenceTo('apps/v1', 'Deployment', deployment);
    for (const event of plan.events) this.#recorder.event(regarding, event.type, event.reason, event.message);
    try {
      for (const action of plan.actions) {
        if (!(await this.#act(turn, action))) break;
        const event = action.kind === 'delete' ? undefined : action.event;
        if (event !== undefined) this.#recorder.event(regarding, event.type, event.reason, event.message);
      }
      if (turn.done.at(-1)?.verb !== 'collide') await this.#writeStatus(turn, plan);
    } finally {
      this.#keyed.acted(key, [deployment, ...claimed.owned], plan.why, turn.done);
    }
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs };
  }

  async #settleOwnership(turn: Turn, adopt: readonly ReplicaSet[], release: readonly ReplicaSet[]): Promise<void> {
    const { client } = this.#context;
    const { owner, signal } = turn;
    if (adopt.length > 0) {
      const fresh = await client.get(resources.deployments, owner.name, { namespace: owner.namespace, signal });
      if (fresh.metadata?.uid !== owner.uid || fresh.metadata.deletionTimestamp !== undefined) return;
    }
    await actOnEach(adopt, (set) =>
      this.#patch(turn, set, 'adopt', adoptionPatch(owner, set.metadata?.uid ?? ''), 'strategic'),
    );
    await actOnEach(release, (set) =>
      this.#patch(turn, set, 'release', releasePatch([owner.uid], set.metadata?.uid ?? ''), 'strategic'),
    );
  }

  /** @returns false when the plan cannot go on and must be made again */
  async #act(turn: Turn, action: DeploymentAction): Promise<boolean> {
    switch (action.kind) {
      case 'create':
        return this.#create(turn, action.replicaSet);
      case 'update': {
        const { replicas, minReadySeconds, annotations } = action;
        const spec = {
          ...(replicas !== undefined && { replicas }),
          ...(minReadySeconds !== undefined && { minReadySeconds }),
        };
        const current = this.#replicaSets.get(objectKey(action.replicaSet));
        // The version makes the write miss if anybody else has resized it; own writes of this turn come first.
        const resourceVersion = this.#versionOf(turn, action.replicaSet) ?? current?.metadata?.resourceVersion;
        const patch = { metadata: { resourceVersion, annotations }, spec };
        await this.#patch(turn, action.replicaSet, replicas === undefined ? 'update' : 'scale', patch, 'merge');
        return true;
      }
      case 'delete': {
        const { name = '', namespace = '', uid = '' } = action.replicaSet.metadata ?? {};
        try {
          const options = { namespace, preconditions: { uid }, signal: turn.signal };
          await this.#context.client.delete(resources.replicasets, name, options);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
        this.#keyed.own.deleted(turn.key, this.#replicaSets, objectKey(action.replicaSet), uid);
        turn.done.push({ verb: 'delete', key: keyOf(action.replicaSet) });
        return true;
      }
    }
  }

  #versionOf(turn: Turn, replicaSet: ReplicaSet): string | undefined {
    return turn.done.findLast(({ key }) => key === keyOf(replicaSet))?.resourceVersion;
  }

  async #create(turn: Turn, replicaSet: ReplicaSet): Promise<boolean> {
    const { client } = this.#context;
    try {
      const created = await client.create(resources.replicasets, replicaSet, { signal: turn.signal });
      this.#wrote(turn, 'create', created);
      return true;
    } catch (error) {
      if (isAlreadyExists(error)) return this.#resolveCollision(turn, replicaSet);
      if (!isNamespaceTerminating(error)) await this.#reportFailedCreate(turn, replicaSet, error);
      throw error;
    }
  }

  /** The name is taken: by our own ReplicaSet, which the cache will show, or by another, then the hash is salted anew. */
  async #resolveCollision(turn: Turn, replicaSet: ReplicaSet): Promise<boolean> {
    const { client } = this.#context;
    const { name = '', namespace = '' } = replicaSet.metadata ?? {};
    const existing = await client.get(resources.replicasets, name, { namespace, signal: turn.signal });
    const ours = controllerOf(existing.metadata)?.uid === turn.owner.uid;
    if (ours && sameTemplate(existing.spec?.template, replicaSet.spec?.template)) {
      this.#keyed.own.wrote(turn.key, this.#replicaSets, existing.metadata?.resourceVersion);
      this.#keyed.queue.add(turn.key);
    } else {
      const status = turn.deployment.status ?? {};
      await this.#putStatus(turn, {
        ...turn.deployment,
        status: { ...status, collisionCount: (status.collisionCount ?? 0) + 1 },
      });
    }
    turn.done.push({ verb: 'collide', key: keyOf(existing), resourceVersion: existing.metadata?.resourceVersion });
    return false;
  }

  async #reportFailedCreate(turn: Turn, replicaSet: ReplicaSet, error: unknown): Promise<void> {
    const message = `Failed to create new replica set "${replicaSet.metadata?.name}": ${textOf(error)}`;
    const reason = 'ReplicaSetCreateError';
    this.#recorder.event(referenceTo('apps/v1', 'Deployment', turn.deployment), 'Warning', reason, message);
    if (turn.deployment.spec?.progressDeadlineSeconds === undefined) return;
    const conditions = withCondition(
      turn.deployment.status?.conditions ?? [],
      { type: 'Progressing', status: 'False', reason, message },
      rfc3339(this.#context.clock.now()),
    );
    if (conditions === turn.deployment.status?.conditions) return;
    await this.#putStatus(turn, { ...turn.deployment, status: { ...turn.deployment.status, conditions } });
  }

  async #patch(turn: Turn, set: ReplicaSet, verb: string, patch: object, type: 'merge' | 'strategic'): Promise<void> {
    const { name = '', namespace = '' } = set.metadata ?? {};
    const options = { namespace, type, signal: turn.signal };
    this.#wrote(turn, verb, await this.#context.client.patch(resources.replicasets, name, patch, options));
  }

  #wrote(turn: Turn, verb: string, written: ReplicaSet): void {
    const resourceVersion = written.metadata?.resourceVersion;
    this.#keyed.own.wrote(turn.key, this.#replicaSets, resourceVersion);
    turn.done.push({ verb, key: keyOf(written), resourceVersion });
  }

  async #writeStatus(turn: Turn, plan: DeploymentPlan): Promise<void> {
    if (plan.status === undefined) return;
    const { metadata } = turn.deployment;
    const annotations = { ...metadata?.annotations, ...(plan.revision !== undefined && { [REVISION]: plan.revision }) };
    await this.#putStatus(turn, { ...turn.deployment, metadata: { ...metadata, annotations }, status: plan.status });
  }

  /** Status and revision annotation travel together: the status subresource takes a Deployment's annotations. */
  async #putStatus(turn: Turn, deployment: Deployment): Promise<void> {
    const options = { subresource: 'status', signal: turn.signal };
    const written = await this.#context.client.update(resources.deployments, deployment, options);
    const resourceVersion = written.metadata?.resourceVersion;
    this.#keyed.own.wrote(turn.key, this.#deployments, resourceVersion);
    turn.done.push({ verb: 'update-status', key: `deployments/${turn.key}`, resourceVersion });
  }
}

function keyOf(replicaSet: ReplicaSet): string {
  return `replicasets/${objectKey(replicaSet)}`;
}

function deploymentKeyOf(replicaSet: ReplicaSet | undefined): string | undefined {
  const owner = controllerOf(replicaSet?.metadata);
  return owner?.kind === 'Deployment' ? `${replicaSet?.metadata?.namespace ?? ''}/${owner.name}` : undefined;
}
