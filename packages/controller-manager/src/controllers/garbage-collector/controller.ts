import { type ApiObject, isConflict, isNotFound, type OwnerReference } from '@wherry/api';
import type { EventRecorder, Outcome, PlanRecord } from '@wherry/client';
import { pause } from '@wherry/daemon';
import { actOnEach } from '../../spine/batches.ts';
import type { ControllerContext } from '../../spine/context.ts';
import { collectable, type DiscoveredResource, discover, resourceOfKind } from '../../spine/discovery.ts';
import { Keyed } from '../../spine/keyed.ts';
import { AbsentOwners } from './absent-owners.ts';
import {
  type Affected,
  type Coordinates,
  coordinatesOf,
  type GraphNode,
  ORPHAN_FINALIZER,
  OwnerGraph,
  pointsAt,
  waitsForDependents,
} from './graph.ts';
import { judge, type OwnerState } from './plan.ts';

/** How often to ask whether there are new kinds of objects (upstream's period). */
const RESYNC_MS = 30_000;
/** How long to wait for all caches before working with those that are there (upstream's). */
const FIRST_SYNC_MS_MAX = 30_000;

export function startGarbageCollector(context: ControllerContext): void {
  new GarbageCollector(context).start();
}

class GarbageCollector {
  readonly #context: ControllerContext;
  readonly #graph = new OwnerGraph();
  readonly #absent = new AbsentOwners();
  readonly #judging: Keyed;
  readonly #orphaning: Keyed;
  readonly #recorder: EventRecorder;
  readonly #followed = new Set<string>();
  #discovered: readonly DiscoveredResource[] = [];

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#judging = new Keyed(context, 'garbage-collector');
    this.#orphaning = new Keyed(context, 'garbage-collector-orphaning');
    this.#recorder = context.recorder('garbage-collector-controller');
  }

  start(): void {
    const { clock, scope, options, logger } = this.#context;
    scope.run('garbage collector', async (signal) => {
      let started = false;
      do {
        try {
          const waits = await this.#follow(signal);
          if (started) continue;
          await Promise.race([Promise.all(waits), pause(clock, FIRST_SYNC_MS_MAX, signal)]);
          const workers = options.concurrent.garbageCollector;
          this.#judging.run(workers, [], (uid, workSignal) => this.#judge(uid, workSignal));
          this.#orphaning.run(workers, [], (uid, workSignal) => this.#orphan(uid, workSignal));
          started = true;
        } catch (error) {
          if (signal.aborted) return;
          logger.warn({ controller: 'garbage-collector', err: error }, 'cannot discover resources, will try again');
        }
      } while (await pause(clock, started ? RESYNC_MS : 1_000, signal));
    });
  }

  /** Watches the metadata of everything that can be deleted. @returns the new caches' first lists */
  async #follow(signal: AbortSignal): Promise<Promise<void>[]> {
    const { caches, client, scope } = this.#context;
    this.#discovered = (await discover(client, signal)).resources;
    const waits: Promise<void>[] = [];
    for (const resource of this.#discovered.filter(collectable)) {
      const key = `${resource.group}/${resource.resource}`;
      if (this.#followed.has(key)) continue;
      this.#followed.add(key);
      const cache = caches.of(resource);
      const stop = cache.onChange(({ kind, object }) => {
        this.#enqueue(kind === 'deleted' ? this.#forget(object) : this.#graph.upsert(resource, object));
      });
      scope.onClose(stop);
      waits.push(cache.synced(signal));
    }
    return waits;
  }

  #forget(object: ApiObject): Affected {
    const uid = object.metadata?.uid ?? '';
    const node = this.#graph.get(uid);
    if (node !== undefined && node.dependents.size > 0) this.#absent.add(node.coordinates);
    return this.#graph.remove(uid);
  }

  #enqueue({ judge: judged, orphan }: Affected): void {
    for (const uid of judged) this.#judging.queue.add(uid);
    for (const uid of orphan) this.#orphaning.queue.add(uid);
  }

  async #judge(uid: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const node = this.#graph.get(uid);
    if (node === undefined) return undefined;
    if (!node.observed) {
      await this.#verify(node, signal);
      return undefined;
    }
    const states = new Map<string, OwnerState>();
    for (const owner of waitsForDependents(node) || node.beingDeleted ? [] : node.owners) {
      states.set(owner.uid, await this.#stateOf(owner, node, signal));
    }
    const judgement = judge(node, (owner) => states.get(owner.uid) ?? 'solid');
    switch (judgement.kind) {
      case 'keep':
        return undefined;
      case 'await-dependents':
        for (const dependent of judgement.judge) this.#judging.queue.add(dependent);
        return undefined;
      case 'drop-owners':
        await this.#dropOwners(node, judgement.uids, 'drop-owners', judgement.why, signal);
        return undefined;
      case 'remove-finalizer':
        await this.#removeFinalizer(node, judgement.finalizer, judgement.why, signal);
        return undefined;
      case 'delete':
        if (judgement.unblock) await this.#unblock(node, signal);
        await this.#delete(node, judgement.policy, judgement.why, signal);
        return undefined;
    }
  }

  /** An owner known only by references: if the server does not know it either, its dependents are judged. */
  async #verify(node: GraphNode, signal: AbortSignal): Promise<void> {
    const { coordinates } = node;
    if (!this.#absent.has(coordinates)) {
      const state = await this.#ask(coordinates, signal);
      // It exists: its own event will bring it.
      if (state === 'solid') return;
      this.#absent.add(coordinates);
    }
    for (const dependent of node.dependents) this.#judging.queue.add(dependent.uid);
  }

  async #stateOf(reference: OwnerReference, dependent: GraphNode, signal: AbortSignal): Promise<OwnerState> {
    const coordinates = coordinatesOf(reference, dependent);
    if (this.#absent.has(coordinates)) return 'absent';
    const owner = this.#graph.get(reference.uid);
    if (owner?.observed === true) {
      if (pointsAt(reference, dependent, owner.coordinates)) return waitsForDependents(owner) ? 'waiting' : 'solid';
      this.#warnWrongReference(reference, dependent);
    }
    return this.#ask(coordinates, signal);
  }

  /** Only the server's word makes an owner absent; caches may lag behind. */
  async #ask(coordinates: Coordinates, signal: AbortSignal): Promise<OwnerState> {
    const resource = resourceOfKind(this.#discovered, coordinates.apiVersion, coordinates.kind);
    if (resource === undefined) {
      throw new Error(
        `Cannot look for owner ${coordinates.kind} "${coordinates.name}": no such kind in ${coordinates.apiVersion}`,
      );
    }
    // A cluster-wide object cannot have an owner in a namespace: nobody can tell which, so it stays.
    if (resource.namespaced && coordinates.namespace === '') return 'solid';
    const options = { signal, ...(resource.namespaced && { namespace: coordinates.namespace }) };
    try {
      const found = await this.#context.client.get(resource, coordinates.name, options);
      if (found.metadata?.uid === coordinates.uid) return 'solid';
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    this.#absent.add(coordinates);
    return 'absent';
  }

  #warnWrongReference(reference: OwnerReference, { coordinates }: GraphNode): void {
    const { apiVersion, kind, namespace, name, uid } = coordinates;
    const owner = `[${reference.apiVersion}/${reference.kind}, namespace: ${namespace}, name: ${reference.name}, uid: ${reference.uid}]`;
    const message = `ownerRef ${owner} does not exist in namespace "${namespace}"`;
    const regarding = { apiVersion, kind, name, uid, ...(namespace !== '' && { namespace }) };
    this.#recorder.event(regarding, 'Warning', 'OwnerRefInvalidNamespace', message);
  }

  /**
   * Deletes exactly the version that was judged: an object whose owners changed meanwhile is judged again when its
   * change arrives.
   */
  async #delete(
    node: GraphNode,
    policy: 'Orphan' | 'Background' | 'Foreground',
    why: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { resource, resourceVersion, uid } = node;
    if (resource === undefined) return;
    const { name, namespace } = node.coordinates;
    const preconditions = { uid, ...(resourceVersion !== undefined && { resourceVersion }) };
    const options = { propagationPolicy: policy, signal, ...(namespace !== '' && { namespace }) };
    try {
      await this.#context.client.delete(resource, name, { ...options, preconditions });
    } catch (error) {
      if (isNotFound(error)) return this.#enqueue(this.#graph.remove(uid));
      if (!isConflict(error)) throw error;
      // Changed since: only the owners matter, so delete it all the same if these are as they were.
      if (!(await this.#ownersUnchanged(node, signal))) throw error;
      try {
        await this.#context.client.delete(resource, name, { ...options, preconditions: { uid } });
      } catch (again) {
        if (!isNotFound(again) && !isConflict(again)) throw again;
      }
    }
    this.#acted(node, why, { verb: `delete-${policy.toLowerCase()}`, key: keyOf(node) });
  }

  async #ownersUnchanged(node: GraphNode, signal: AbortSignal): Promise<boolean> {
    const { resource, uid } = node;
    if (resource === undefined) return false;
    const { name, namespace } = node.coordinates;
    try {
      const options = { signal, ...(namespace !== '' && { namespace }) };
      const latest = await this.#context.client.get(resource, name, options);
      const uids = (owners: readonly OwnerReference[] = []) => owners.map((owner) => owner.uid).join();
      return latest.metadata?.uid === uid && uids(latest.metadata.ownerReferences) === uids(node.owners);
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
  }

  async #unblock(node: GraphNode, signal: AbortSignal): Promise<void> {
    const ownerReferences = node.owners.map((owner) => ({ ...owner, blockOwnerDeletion: false }));
    await this.#patch(node, { ownerReferences }, 'unblock', 'it is part of a circle of owners', signal);
  }

  async #dropOwners(
    node: GraphNode,
    uids: readonly string[],
    verb: string,
    why: string,
    signal: AbortSignal,
  ): Promise<void> {
    const ownerReferences = node.owners.filter((owner) => !uids.includes(owner.uid));
    if (ownerReferences.length < node.owners.length) await this.#patch(node, { ownerReferences }, verb, why, signal);
  }

  async #removeFinalizer(node: GraphNode, finalizer: string, why: string, signal: AbortSignal): Promise<void> {
    const finalizers = node.finalizers.filter((present) => present !== finalizer);
    await this.#patch(node, { finalizers }, 'remove-finalizer', why, signal);
  }

  /**
   * Changes metadata of exactly the version that was judged, by a merge patch, which every kind understands. On a
   * conflict the key is tried again: the change is on its way to the graph. A gone object needs nothing.
   */
  async #patch(node: GraphNode, metadata: object, verb: string, why: string, signal: AbortSignal): Promise<void> {
    const { resource, uid, resourceVersion } = node;
    if (resource === undefined) return;
    const patch = { metadata: { ...metadata, uid, resourceVersion } };
    const { name, namespace } = node.coordinates;
    try {
      const options = { type: 'merge', signal, ...(namespace !== '' && { namespace }) } as const;
      const written = await this.#context.client.patch(resource, name, patch, options);
      this.#acted(node, why, { verb, key: keyOf(node), resourceVersion: written.metadata?.resourceVersion });
    } catch (error) {
      if (isNotFound(error)) return this.#enqueue(this.#graph.remove(node.uid));
      throw error;
    }
  }

  /** Cuts the dependents loose, then lets the owner go. */
  async #orphan(uid: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const node = this.#graph.get(uid);
    if (node === undefined || !node.finalizers.includes(ORPHAN_FINALIZER)) return undefined;
    const dependents = [...node.dependents];
    await actOnEach(dependents, (dependent) =>
      this.#dropOwners(dependent, [uid], 'orphan', 'its owner leaves it behind', signal),
    );
    await this.#removeFinalizer(node, ORPHAN_FINALIZER, `${dependents.length} dependents are orphaned`, signal);
    return undefined;
  }

  #acted(node: GraphNode, why: string, action: PlanRecord['actions'][number]): void {
    const { namespace, name, uid } = node.coordinates;
    const input: ApiObject = {
      metadata: {
        name,
        uid,
        ...(namespace !== '' && { namespace }),
        ...(node.resourceVersion && { resourceVersion: node.resourceVersion }),
      },
    };
    this.#judging.acted(keyOf(node), [input], why, [action]);
  }
}

function keyOf({ resource, coordinates }: GraphNode): string {
  const { namespace, name } = coordinates;
  return `${resource?.resource ?? coordinates.kind}/${namespace === '' ? name : `${namespace}/${name}`}`;
}
