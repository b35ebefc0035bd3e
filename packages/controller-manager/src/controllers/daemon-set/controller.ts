import {
  type ControllerRevision,
  controllerOf,
  type DaemonSet,
  type DaemonSetStatus,
  type Node,
  objectKey,
  type Pod,
  resources,
} from '@wherry/api';
import type { EventRecorder, Informer, Outcome } from '@wherry/client';
import { claim, ownerOf } from '../../pods/ownership.ts';
import { canonicalJson } from '../../pods/template-hash.ts';
import { actOnEach, slowStart } from '../../spine/batches.ts';
import { BY_CONTROLLER, ORPHANS } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { type Actor, isNamespaceTerminating, PodActions } from '../../spine/pod-actions.ts';
import { orphanOwners } from '../../spine/pod-owners.ts';
import { RevisionActions } from '../../spine/revision-actions.ts';
import { targetNode } from './placement.ts';
import { type DaemonSetPlan, planDaemonSet } from './plan.ts';

/** Wait before a daemon that ended is replaced on its node: the first, and the longest. */
const ENDED_BACKOFF = { baseMs: 1_000, maxMs: 15 * 60_000 };

export function startDaemonSets(context: ControllerContext): void {
  new DaemonSetController(context).start();
}

class DaemonSetController {
  readonly #context: ControllerContext;
  readonly #sets: Informer<DaemonSet>;
  readonly #nodes: Informer<Node>;
  readonly #revisions: Informer<ControllerRevision>;
  readonly #keyed: Keyed;
  readonly #pods: PodActions;
  readonly #history: RevisionActions;
  readonly #recorder: EventRecorder;
  /** Ended daemons by set and node: when each may be replaced (monotonic), and how often it has been. */
  readonly #ended = new Map<string, { readonly untilMs: number; readonly waitMs: number }>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#sets = context.caches.of(resources.daemonsets);
    this.#nodes = context.caches.of(resources.nodes);
    this.#revisions = context.caches.of(resources.controllerrevisions);
    this.#keyed = new Keyed(context, 'daemonset-controller');
    this.#recorder = context.recorder('daemonset-controller');
    this.#pods = new PodActions(context, this.#keyed, this.#recorder);
    this.#history = new RevisionActions(context, this.#keyed);
  }

  start(): void {
    const { caches, options } = this.#context;
    this.#keyed.followOwn(this.#sets);
    this.#keyed.follow(caches.pods, ({ object, previous }) => this.#keysOf(object, previous));
    this.#keyed.follow(this.#nodes, ({ kind, object, previous }) => {
      if (kind === 'updated' && placementFacts(object) === placementFacts(previous)) return [];
      return this.#sets.list().map(objectKey);
    });
    const needed = [anyCache(this.#sets), anyCache(caches.pods), anyCache(this.#nodes), anyCache(this.#revisions)];
    this.#keyed.run(options.concurrent.daemonSet, needed, (key, signal) => this.#reconcile(key, signal));
  }

  #keysOf(pod: Pod, previous: Pod | undefined): readonly string[] {
    const keys: string[] = [];
    for (const version of previous === undefined ? [pod] : [pod, previous]) {
      const owner = controllerOf(version.metadata);
      if (owner?.kind === 'DaemonSet') keys.push(`${version.metadata?.namespace ?? ''}/${owner.name}`);
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
    const owner = ownerOf('apps/v1', 'DaemonSet', set);
    const actor: Actor = { key, regarding: referenceTo('apps/v1', 'DaemonSet', set), signal, done: [] };
    const claimed = claim(owner, set.spec.selector, [
      ...caches.pods.byIndex(BY_CONTROLLER, owner.uid),
      ...caches.pods.byIndex(ORPHANS, owner.namespace),
    ]);
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
    const plan = planDaemonSet({
      set,
      owner,
      nodes: this.#nodes.list(),
      pods: claimed.owned,
      revisions: history.owned,
      nowMs: clock.now(),
    });
    const waits: number[] = plan.requeueAfterMs === undefined ? [] : [plan.requeueAfterMs];
    try {
      await this.#act(actor, set, plan, waits);
    } finally {
      this.#keyed.acted(key, [set, ...claimed.owned], plan.why, actor.done);
    }
    return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) };
  }

  async #act(actor: Actor, set: DaemonSet, plan: DaemonSetPlan, waits: number[]): Promise<void> {
    if (!(await this.#history.ensure(actor, plan.revision))) {
      const status = set.status ?? EMPTY_STATUS;
      await this.#writeStatus(actor, set, { ...status, collisionCount: (status.collisionCount ?? 0) + 1 });
      return;
    }
    const created = await slowStart(plan.create.length, async (index) => {
      const pod = plan.create[index];
      if (pod !== undefined) await this.#pods.create(actor, pod);
    });
    await actOnEach(plan.delete, async ({ pod, ended, event }) => {
      const leftMs = ended ? this.#backoffLeftMs(actor.key, pod) : 0;
      if (leftMs > 0) {
        waits.push(leftMs);
        return;
      }
      if (event !== undefined) this.#recorder.event(actor.regarding, event.type, event.reason, event.message);
      await this.#pods.delete(actor, pod);
    });
    if (plan.status !== undefined) await this.#writeStatus(actor, set, plan.status);
    await this.#history.prune(actor, plan.deleteRevisions);
    if (created.failed && !isNamespaceTerminating(created.failure)) throw created.failure;
  }

  /** A daemon that keeps ending is replaced ever more slowly; long peace forgives. @returns 0 when it may go now */
  #backoffLeftMs(key: string, pod: Pod): number {
    const place = `${key} ${targetNode(pod) ?? ''}`;
    const nowMs = this.#context.clock.monotonicMs();
    const known = this.#ended.get(place);
    if (known !== undefined && known.untilMs > nowMs) return known.untilMs - nowMs;
    const forgiven = known === undefined || nowMs - known.untilMs > 2 * ENDED_BACKOFF.maxMs;
    const waitMs = forgiven ? ENDED_BACKOFF.baseMs : Math.min(known.waitMs * 2, ENDED_BACKOFF.maxMs);
    this.#ended.set(place, { untilMs: nowMs + waitMs, waitMs });
    return 0;
  }

  async #writeStatus(actor: Actor, set: DaemonSet, status: DaemonSetStatus): Promise<void> {
    const options = { subresource: 'status', signal: actor.signal };
    const written = await this.#context.client.update(resources.daemonsets, { ...set, status }, options);
    const { resourceVersion } = written.metadata ?? {};
    this.#keyed.own.wrote(actor.key, this.#sets, resourceVersion);
    actor.done.push({ verb: 'update-status', key: `daemonsets/${actor.key}`, resourceVersion });
  }
}

const EMPTY_STATUS: DaemonSetStatus = {
  currentNumberScheduled: 0,
  desiredNumberScheduled: 0,
  numberMisscheduled: 0,
  numberReady: 0,
};

/** What decides whether a node gets daemons; heartbeats do not. */
function placementFacts(node: Node | undefined): string {
  return canonicalJson([node?.metadata?.labels, node?.spec?.taints, node?.spec?.unschedulable]);
}
