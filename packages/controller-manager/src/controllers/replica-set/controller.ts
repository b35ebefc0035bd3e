import {
  type ApiObject,
  controllerOf,
  isNotFound,
  objectKey,
  type Pod,
  type ReplicaSet,
  type ReplicaSetStatus,
  type Resource,
  resources,
} from '@wherry/api';
import type { Informer, Outcome } from '@wherry/client';
import { rfc3339 } from '@wherry/daemon';
import { type Owner, ownerOf } from '../../pods/ownership.ts';
import { podFromTemplate } from '../../pods/template.ts';
import { actOnEach, slowStart } from '../../spine/batches.ts';
import { BY_CONTROLLER, ORPHANS } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { type Actor, isNamespaceTerminating, PodActions, textOf } from '../../spine/pod-actions.ts';
import { orphanOwners } from '../../spine/pod-owners.ts';
import { planReplicas, type ReplicaFailure, type ReplicaPlan, type ReplicaTarget, replicaStatus } from './plan.ts';

/** How one of the two kinds is read and written; the plan is the same. */
export interface ReplicaKind<T extends ApiObject> {
  readonly name: string;
  readonly component: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: Resource<T>;
  readonly workers: number;
  target(object: T): ReplicaTarget | undefined;
  withStatus(object: T, status: ReplicaSetStatus): T;
  /** Pods of sets that belong together, for spreading deletions over nodes. */
  related(object: T, context: ControllerContext): readonly Pod[];
}

export function startReplicaController<T extends ApiObject>(context: ControllerContext, kind: ReplicaKind<T>): void {
  const controller = new ReplicaController(context, kind);
  controller.start();
}

class ReplicaController<T extends ApiObject> {
  readonly #context: ControllerContext;
  readonly #kind: ReplicaKind<T>;
  readonly #cache: Informer<T>;
  readonly #keyed: Keyed;
  readonly #pods: PodActions;

  constructor(context: ControllerContext, kind: ReplicaKind<T>) {
    this.#context = context;
    this.#kind = kind;
    this.#cache = context.caches.of(kind.resource);
    this.#keyed = new Keyed(context, kind.name);
    this.#pods = new PodActions(context, this.#keyed, context.recorder(kind.component));
  }

  start(): void {
    const { caches } = this.#context;
    this.#keyed.followOwn(this.#cache);
    this.#keyed.follow(caches.pods, (change) => this.#ownersOf(change.object, change.previous));
    this.#keyed.run(this.#kind.workers, [anyCache(this.#cache), anyCache(caches.pods)], (key, signal) =>
      this.#reconcile(key, signal),
    );
  }

  /** Keys of the sets a pod belongs or belonged to; of all that select it while it belongs to none. */
  #ownersOf(pod: Pod, previous: Pod | undefined): readonly string[] {
    const keys: string[] = [];
    for (const version of previous === undefined ? [pod] : [pod, previous]) {
      const owner = controllerOf(version.metadata);
      if (owner?.kind === this.#kind.kind) keys.push(`${version.metadata?.namespace ?? ''}/${owner.name}`);
    }
    if (controllerOf(pod.metadata) !== undefined) return keys;
    const selectors = orphanOwners(this.#cache, pod, (object) => this.#kind.target(object)?.selector);
    return [...keys, ...selectors];
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const object = this.#cache.get(key);
    const target = object === undefined ? undefined : this.#kind.target(object);
    if (object === undefined || target === undefined) {
      this.#keyed.own.forget(key);
      return undefined;
    }
    const { caches, clock } = this.#context;
    const candidates = [
      ...caches.pods.byIndex(BY_CONTROLLER, target.owner.uid),
      ...caches.pods.byIndex(ORPHANS, target.owner.namespace),
    ];
    const plan = planReplicas(target, candidates, this.#kind.related(object, this.#context), clock.now());
    const regarding = referenceTo(this.#kind.apiVersion, this.#kind.kind, object);
    const actor: Actor = { key, regarding, signal, done: [] };
    try {
      const outcome = await this.#act(actor, object, target, plan);
      const status = replicaStatus(target, plan.counts, outcome.failure, rfc3339(clock.now()));
      if (status !== undefined) await this.#writeStatus(actor, object, status);
      if (outcome.failed && !isNamespaceTerminating(outcome.error)) throw outcome.error;
    } finally {
      this.#keyed.acted(key, [object, ...plan.adopt, ...plan.release, ...plan.delete], plan.why, actor.done);
    }
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs };
  }

  async #act(actor: Actor, object: T, target: ReplicaTarget, plan: ReplicaPlan): Promise<Acted> {
    try {
      if (plan.adopt.length > 0) await this.#confirmAlive(object, target.owner, actor.signal);
      await actOnEach(plan.adopt, (pod) => this.#pods.adopt(actor, target.owner, pod));
      await actOnEach(plan.release, (pod) => this.#pods.release(actor, target.owner.uid, pod));
    } catch (error) {
      return { failed: true, error, failure: undefined };
    }
    const pod = podFromTemplate(target.template, target.owner);
    const created = await slowStart(plan.create, async () => void (await this.#pods.create(actor, pod)));
    if (created.failed) return failedWith('FailedCreate', created.failure);
    try {
      await actOnEach(plan.delete, (surplus) => this.#pods.delete(actor, surplus));
    } catch (error) {
      return failedWith('FailedDelete', error);
    }
    return { failed: false, error: undefined, failure: undefined };
  }

  /** Taking pods for an owner that is gone, or another by now, would hide them from their true owner. */
  async #confirmAlive(object: T, owner: Owner, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    const fresh = await client.get(this.#kind.resource, owner.name, { namespace: owner.namespace, signal });
    if (fresh.metadata?.uid !== owner.uid || fresh.metadata.deletionTimestamp !== undefined) {
      throw new Error(`Cannot adopt pods for ${objectKey(object)}: it is being deleted or was replaced`);
    }
  }

  async #writeStatus(actor: Actor, object: T, status: ReplicaSetStatus): Promise<void> {
    const next = this.#kind.withStatus(object, status);
    try {
      const { client } = this.#context;
      const written = await client.update(this.#kind.resource, next, { subresource: 'status', signal: actor.signal });
      const resourceVersion = written.metadata?.resourceVersion;
      this.#keyed.own.wrote(actor.key, this.#cache, resourceVersion);
      const { resource } = this.#kind.resource;
      actor.done.push({ verb: 'update-status', key: `${resource}/${actor.key}`, resourceVersion });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

interface Acted {
  readonly failed: boolean;
  readonly error: unknown;
  readonly failure: ReplicaFailure | undefined;
}

function failedWith(reason: ReplicaFailure['reason'], error: unknown): Acted {
  if (isNamespaceTerminating(error)) return { failed: true, error, failure: undefined };
  return { failed: true, error, failure: { reason, message: textOf(error) } };
}

export function startReplicaSets(context: ControllerContext): void {
  startReplicaController<ReplicaSet>(context, {
    name: 'replicaset-controller',
    component: 'replicaset-controller',
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    resource: resources.replicasets,
    workers: context.options.concurrent.replicaSet,
    target: (object) =>
      object.spec === undefined
        ? undefined
        : {
            owner: ownerOf('apps/v1', 'ReplicaSet', object),
            generation: object.metadata?.generation ?? 0,
            replicas: object.spec.replicas ?? 1,
            minReadySeconds: object.spec.minReadySeconds ?? 0,
            selector: object.spec.selector,
            template: object.spec.template ?? {},
            status: object.status ?? { replicas: 0 },
            countsTerminating: true,
          },
    withStatus: (object, status) => ({ ...object, status }),
    related: (object, { caches }) => {
      const family = controllerOf(object.metadata)?.uid;
      const own = object.metadata?.uid ?? '';
      const uids =
        family === undefined
          ? [own]
          : caches
              .of(resources.replicasets)
              .byIndex(BY_CONTROLLER, family)
              .map((set) => set.metadata?.uid ?? '');
      return uids.flatMap((uid) => caches.pods.byIndex(BY_CONTROLLER, uid));
    },
  });
}
