import {
  type ControllerRevision,
  controllerOf,
  isAlreadyExists,
  isNotFound,
  objectKey,
  type Pod,
  resources,
  type StatefulSet,
  type StatefulSetStatus,
} from '@wherry/api';
import type { EventRecorder, Informer, Outcome } from '@wherry/client';
import { claim, ownerOf } from '../../pods/ownership.ts';
import { actOnEach, slowStart } from '../../spine/batches.ts';
import { BY_CONTROLLER, ORPHANS } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { type Actor, isNamespaceTerminating, PodActions, textOf, type Wording } from '../../spine/pod-actions.ts';
import { orphanOwners } from '../../spine/pod-owners.ts';
import { RevisionActions } from '../../spine/revision-actions.ts';
import { ordinalOf } from './identity.ts';
import { planStatefulSet, type StatefulSetPlan } from './plan.ts';

const WORDING: Wording = {
  created: (pod, set) => `create Pod ${pod} in StatefulSet ${set} successful`,
  notCreated: (pod, set, error) => `create Pod ${pod} in StatefulSet ${set} failed error: ${error}`,
  deleted: (pod, set) => `delete Pod ${pod} in StatefulSet ${set} successful`,
  notDeleted: (pod, set, error) => `delete Pod ${pod} in StatefulSet ${set} failed error: ${error}`,
};

export function startStatefulSets(context: ControllerContext): void {
  new StatefulSetController(context).start();
}

class StatefulSetController {
  readonly #context: ControllerContext;
  readonly #sets: Informer<StatefulSet>;
  readonly #revisions: Informer<ControllerRevision>;
  readonly #keyed: Keyed;
  readonly #pods: PodActions;
  readonly #history: RevisionActions;
  readonly #recorder: EventRecorder;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#sets = context.caches.of(resources.statefulsets);
    this.#revisions = context.caches.of(resources.controllerrevisions);
    this.#keyed = new Keyed(context, 'statefulset-controller');
    this.#recorder = context.recorder('statefulset-controller');
    this.#pods = new PodActions(context, this.#keyed, this.#recorder, WORDING);
    this.#history = new RevisionActions(context, this.#keyed);
  }

  start(): void {
    const { caches, options } = this.#context;
    this.#keyed.followOwn(this.#sets);
    this.#keyed.follow(caches.pods, ({ object, previous }) => this.#keysOf(object, previous));
    const claims = caches.of(resources.persistentvolumeclaims);
    const needed = [anyCache(this.#sets), anyCache(caches.pods), anyCache(this.#revisions), anyCache(claims)];
    this.#keyed.run(options.concurrent.statefulSet, needed, (key, signal) => this.#reconcile(key, signal));
  }

  #keysOf(pod: Pod, previous: Pod | undefined): readonly string[] {
    const keys: string[] = [];
    for (const version of previous === undefined ? [pod] : [pod, previous]) {
      const owner = controllerOf(version.metadata);
      if (owner?.kind === 'StatefulSet') keys.push(`${version.metadata?.namespace ?? ''}/${owner.name}`);
    }
    if (controllerOf(pod.metadata) !== undefined) return keys;
    return [...keys, ...orphanOwners(this.#sets, pod, (set) => set.spec?.selector)];
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const set = this.#sets.get(key);
    if (set?.spec === undefined) {
      this.#keyed.own.forget(key);
      return undefined;
    }
    const { caches, clock } = this.#context;
    const owner = ownerOf('apps/v1', 'StatefulSet', set);
    const actor: Actor = { key, regarding: referenceTo('apps/v1', 'StatefulSet', set), signal, done: [] };
    const candidates = [
      ...caches.pods.byIndex(BY_CONTROLLER, owner.uid),
      ...caches.pods.byIndex(ORPHANS, owner.namespace),
    ].filter((pod) => ordinalOf(set, pod) !== undefined);
    const claimed = claim(owner, set.spec.selector, candidates);
    const history = claim(owner, set.spec.selector, [
      ...this.#revisions.byIndex(BY_CONTROLLER, owner.uid),
      ...this.#revisions.byIndex(ORPHANS, owner.namespace),
    ]);
    if (claimed.adopt.length + claimed.release.length + history.adopt.length > 0) {
      await actOnEach(claimed.adopt, (pod) => this.#pods.adopt(actor, owner, pod));
      await actOnEach(claimed.release, (pod) => this.#pods.release(actor, owner.uid, pod));
      await actOnEach(history.adopt, (revision) => this.#history.adopt(actor, owner, revision));
      this.#keyed.acted(key, [set, ...claimed.adopt, ...claimed.release], 'selector and owner differ', actor.done);
      this.#keyed.queue.add(key);
      return undefined;
    }
    const claims = caches.of(resources.persistentvolumeclaims);
    const plan = planStatefulSet({
      set,
      owner,
      pods: claimed.owned,
      revisions: history.owned,
      claimOf: (name) => claims.get(`${owner.namespace}/${name}`),
      nowMs: clock.now(),
    });
    try {
      await this.#act(actor, set, plan);
    } finally {
      this.#keyed.acted(key, [set, ...claimed.owned], plan.why, actor.done);
    }
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs };
  }

  async #act(actor: Actor, set: StatefulSet, plan: StatefulSetPlan): Promise<void> {
    const ready = await this.#history.ensure(actor, plan.revision);
    if (!ready) {
      const collisionCount = (set.status?.collisionCount ?? 0) + 1;
      await this.#writeStatus(actor, set, { ...(set.status ?? { replicas: 0 }), collisionCount });
      return;
    }
    await actOnEach(plan.claimOwners, ({ claim: { metadata }, ownerReferences }) =>
      this.#ownClaim(actor, metadata?.name ?? '', {
        metadata: { resourceVersion: metadata?.resourceVersion, ownerReferences },
      }),
    );
    await actOnEach(plan.relabel, ({ pod, labels }) =>
      this.#pods.patch(actor, pod, 'relabel', { metadata: { labels } }),
    );
    const created = await this.#create(actor, set, plan);
    await actOnEach(plan.delete, async ({ pod, event }) => {
      if (event !== undefined) this.#recorder.event(actor.regarding, event.type, event.reason, event.message);
      await this.#pods.delete(actor, pod);
    });
    if (plan.status !== undefined) await this.#writeStatus(actor, set, plan.status);
    await this.#history.prune(actor, plan.deleteRevisions);
    if (created.failed && !isNamespaceTerminating(created.failure)) throw created.failure;
  }

  /** Claims first: a pod must not start without the data of its predecessor. */
  async #create(actor: Actor, set: StatefulSet, plan: StatefulSetPlan): Promise<{ failed: boolean; failure: unknown }> {
    const { client, caches } = this.#context;
    const claims = caches.of(resources.persistentvolumeclaims);
    try {
      await actOnEach(plan.createClaims, async (template) => {
        try {
          const created = await client.create(resources.persistentvolumeclaims, template, { signal: actor.signal });
          const { name, resourceVersion } = created.metadata ?? {};
          this.#keyed.own.wrote(actor.key, claims, resourceVersion);
          actor.done.push({ verb: 'create', key: `persistentvolumeclaims/${objectKey(created)}`, resourceVersion });
          const pod = plan.create.find(({ spec }) =>
            spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === name),
          );
          const message = `create Claim ${name} Pod ${pod?.metadata?.name ?? ''} in StatefulSet ${set.metadata?.name} success`;
          this.#recorder.event(actor.regarding, 'Normal', 'SuccessfulCreate', message);
        } catch (error) {
          if (!isAlreadyExists(error)) throw error;
        }
      });
    } catch (error) {
      const message = `create Claim for StatefulSet ${set.metadata?.name} failed error: ${textOf(error)}`;
      if (!isNamespaceTerminating(error)) this.#recorder.event(actor.regarding, 'Warning', 'FailedCreate', message);
      return { failed: true, failure: error };
    }
    return slowStart(plan.create.length, async (index) => {
      const pod = plan.create[index];
      if (pod !== undefined) await this.#pods.create(actor, pod);
    });
  }

  async #ownClaim(actor: Actor, name: string, patch: object): Promise<void> {
    const { client, caches } = this.#context;
    const namespace = actor.regarding.namespace ?? '';
    try {
      const written = await client.patch(resources.persistentvolumeclaims, name, patch, {
        namespace,
        signal: actor.signal,
      });
      const { resourceVersion } = written.metadata ?? {};
      this.#keyed.own.wrote(actor.key, caches.of(resources.persistentvolumeclaims), resourceVersion);
      actor.done.push({ verb: 'set-owner', key: `persistentvolumeclaims/${namespace}/${name}`, resourceVersion });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #writeStatus(actor: Actor, set: StatefulSet, status: StatefulSetStatus): Promise<void> {
    const options = { subresource: 'status', signal: actor.signal };
    const written = await this.#context.client.update(resources.statefulsets, { ...set, status }, options);
    const { resourceVersion } = written.metadata ?? {};
    this.#keyed.own.wrote(actor.key, this.#sets, resourceVersion);
    actor.done.push({ verb: 'update-status', key: `statefulsets/${actor.key}`, resourceVersion });
  }
}
