import {
  isConflict,
  isNotFound,
  isPodReady,
  type Lease,
  type Node,
  type Pod,
  resources,
  type Taint,
} from '@wherry/api';
import type { EventRecorder, Informer, Outcome, PlanRecord } from '@wherry/client';
import { pause, rfc3339 } from '@wherry/daemon';
import { canonicalJson } from '../../pods/template-hash.ts';
import { actOnEach } from '../../spine/batches.ts';
import { BY_NODE } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { type Actor, PodActions } from '../../spine/pod-actions.ts';
import { type Health, observe } from './health.ts';
import { isBeingEvicted, type NodePlan, planNode, withEviction } from './plan.ts';
import { type Allowance, assessZones, takeToken, type Zones, zoneOf } from './zones.ts';

const WORKERS = 8;
const LEASE_NAMESPACE = 'kube-node-lease';

export function startNodeLifecycle(context: ControllerContext): void {
  new NodeLifecycle(context).start();
}

/** Keys are names of nodes; all of them come once a monitor period, and each when it changes. */
class NodeLifecycle {
  readonly #context: ControllerContext;
  readonly #nodes: Informer<Node>;
  readonly #leases: Informer<Lease>;
  readonly #keyed: Keyed;
  readonly #recorder: EventRecorder;
  readonly #pods: PodActions;
  readonly #health = new Map<string, Health>();
  readonly #allowances = new Map<string, Allowance>();
  #zones: Zones = { states: new Map(), rates: new Map(), allDown: false };

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#nodes = context.caches.of(resources.nodes);
    this.#leases = context.caches.of(resources.leases);
    this.#keyed = new Keyed(context, 'node-lifecycle-controller');
    this.#recorder = context.recorder('node-controller');
    this.#pods = new PodActions(context, this.#keyed, this.#recorder);
  }

  start(): void {
    const { caches, scope } = this.#context;
    this.#keyed.follow(this.#nodes, ({ kind, key, object }) => {
      if (kind === 'added') this.#tell(object, 'RegisteredNode', `Registered Node ${key} in Controller`);
      if (kind === 'deleted') {
        this.#health.delete(key);
        this.#tell(object, 'RemovingNode', `Removing Node ${key} from Controller`);
      }
      return kind === 'deleted' ? [] : [key];
    });
    const needed = [anyCache(this.#nodes), anyCache(this.#leases), anyCache(caches.pods)];
    this.#keyed.run(WORKERS, needed, (key, signal) => this.#reconcile(key, signal));
    scope.run('node monitor', async (signal) => {
      await Promise.all(needed.map((cache) => cache.synced(signal)));
      do this.#monitor();
      while (await pause(this.#context.clock, this.#context.options.nodeMonitorPeriodMs, signal));
    });
  }

  #tell(node: Node, reason: string, what: string): void {
    const message = `Node ${node.metadata?.name} event: ${what}`;
    this.#recorder.event(referenceTo('v1', 'Node', node), 'Normal', reason, message);
  }

  /** Looks at all nodes: their zones decide how fast pods may be evicted. */
  #monitor(): void {
    const { clock, options } = this.#context;
    const nodes = this.#nodes.list();
    const wasDown = this.#zones.allDown;
    this.#zones = assessZones(nodes, options);
    if (wasDown && !this.#zones.allDown) {
      // We were cut off, not they: everybody gets a full grace period to report.
      for (const [name, health] of this.#health) this.#health.set(name, { ...health, probedMs: clock.monotonicMs() });
    }
    for (const node of nodes) this.#keyed.queue.add(node.metadata?.name ?? '');
  }

  async #reconcile(name: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const node = this.#nodes.get(name);
    if (node === undefined) return undefined;
    const { clock, options } = this.#context;
    const monotonicMs = clock.monotonicMs();
    const lease = this.#leases.get(`${LEASE_NAMESPACE}/${name}`);
    const health = observe(this.#health.get(name), { node, lease, nowMs: clock.now(), monotonicMs });
    this.#health.set(name, health);
    const plan = planNode({
      node,
      health,
      monotonicMs,
      now: rfc3339(clock.now()),
      gracePeriodMs: options.nodeMonitorGracePeriodMs,
      startupGracePeriodMs: options.nodeStartupGracePeriodMs,
      allDown: this.#zones.allDown,
    });
    const done: PlanRecord['actions'][number][] = [];
    const version = await this.#writeConditions(node, plan, signal, done);
    if (plan.podsNotReady) await this.#markPods(name, node, signal, done);
    await this.#writeTaints(node, version, this.#taintsOf(node, plan, monotonicMs), signal, done);
    this.#keyed.acted(name, [node], plan.why, done);
    return undefined;
  }

  /** @returns the version of the node that further writes build on */
  async #writeConditions(
    node: Node,
    plan: NodePlan,
    signal: AbortSignal,
    done: PlanRecord['actions'][number][],
  ): Promise<string | undefined> {
    const { name = '', resourceVersion } = node.metadata ?? {};
    if (plan.conditions.length === 0) return resourceVersion;
    // With the version: a kubelet that reports at this very moment wins.
    const patch = { metadata: { resourceVersion }, status: { conditions: plan.conditions } };
    const options = { subresource: 'status', type: 'strategic', signal } as const;
    const written = await this.#context.client.patch(resources.nodes, name, patch, options);
    const version = written.metadata?.resourceVersion;
    this.#keyed.own.wrote(name, this.#nodes, version);
    done.push({ verb: 'update-status', key: `nodes/${name}`, resourceVersion: version });
    if (plan.lost) {
      const message = `Node ${name} status is now: NodeNotReady`;
      this.#recorder.event(referenceTo('v1', 'Node', node), 'Normal', 'NodeNotReady', message);
    }
    return version;
  }

  #taintsOf(node: Node, plan: NodePlan, monotonicMs: number): readonly Taint[] {
    const { eviction, taints } = plan;
    if (eviction === undefined) return taints;
    if (isBeingEvicted(taints)) return withEviction(taints, eviction);
    const zone = zoneOf(node);
    const rate = this.#zones.rates.get(zone) ?? this.#context.options.nodeEvictionRate;
    const { taken, next } = takeToken(this.#allowances.get(zone), rate, monotonicMs);
    this.#allowances.set(zone, next);
    return taken ? withEviction(taints, eviction) : taints;
  }

  async #writeTaints(
    node: Node,
    resourceVersion: string | undefined,
    taints: readonly Taint[],
    signal: AbortSignal,
    done: PlanRecord['actions'][number][],
  ): Promise<void> {
    if (canonicalJson(taints) === canonicalJson(node.spec?.taints ?? [])) return;
    const { name = '' } = node.metadata ?? {};
    try {
      const patch = { metadata: { resourceVersion }, spec: { taints } };
      const written = await this.#context.client.patch(resources.nodes, name, patch, { signal });
      this.#keyed.own.wrote(name, this.#nodes, written.metadata?.resourceVersion);
      done.push({ verb: 'taint', key: `nodes/${name}`, resourceVersion: written.metadata?.resourceVersion });
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
      this.#keyed.queue.addRateLimited(name);
    }
  }

  /** Nobody on a silent node can say that its pods still serve: take them out of their Services. */
  async #markPods(name: string, node: Node, signal: AbortSignal, done: PlanRecord['actions'][number][]): Promise<void> {
    const ready = this.#context.caches.pods.byIndex(BY_NODE, name).filter(isPodReady);
    await actOnEach(ready, async (pod: Pod) => {
      const regarding = referenceTo('v1', 'Pod', pod);
      this.#recorder.event(regarding, 'Warning', 'NodeNotReady', 'Node is not ready');
      const actor: Actor = { key: node.metadata?.name ?? '', regarding, signal, done };
      const lastTransitionTime = rfc3339(this.#context.clock.now());
      const status = { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime }] };
      await this.#pods.patch(actor, pod, 'mark-not-ready', { metadata: { uid: pod.metadata?.uid }, status }, 'status');
    });
  }
}
