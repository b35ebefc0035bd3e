// Registers the node and keeps its status true: looked at every few seconds, written when something changed, and
// every five minutes in any case.
import { isAlreadyExists, isNotFound, type Node, type NodeCondition, type NodeStatus, resources } from '@wherry/api';
import type { ApiClient, Informer } from '@wherry/client';
import { type Clock, type Logger, pause } from '@wherry/daemon';
import { conditionEvents, type NodeFacts, nodeConditions, sameConditions } from '../plan/node-conditions.ts';
import { type NodeDescription, newNode, nodeLabels, nodeStatusBase } from '../plan/node-object.ts';
import { sameJson } from '../plan/pod-status.ts';
import type { EventSink } from '../pods/pod-events.ts';
import type { ImageFacts, Runtime } from '../runtime/port.ts';
import { systemInfo } from './host-facts.ts';

export interface NodeAgentOptions {
  readonly client: ApiClient;
  readonly nodes: Informer<Node>;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventSink;
  readonly description: NodeDescription;
  readonly register: boolean;
  /** How often the node is looked at. */
  readonly checkMs: number;
  readonly facts: () => Promise<NodeFacts>;
}

const reportMs = 300_000;
const registerRetryMsMin = 100;
const registerRetryMsMax = 7_000;
/** Upstream's --node-status-max-images. */
const imagesMax = 50;
const imagesReadMs = 60_000;

export class NodeAgent {
  readonly #options: NodeAgentOptions;
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  #conditions: readonly NodeCondition[] | undefined;
  #images: { readonly list: readonly ImageFacts[]; readonly atMs: number } | undefined;
  #registered: Node | undefined;
  #base: NodeStatus | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(options: NodeAgentOptions) {
    this.#options = options;
  }

  /** The Node object as the API last showed it. */
  get node(): Node | undefined {
    return this.#options.nodes.get(this.#options.description.name) ?? this.#registered;
  }

  /** Looks at the node now, for example because its network has become ready. */
  checkNow(): void {
    this.#wake.resolve();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, checkMs, logger } = this.#options;
    await this.#register(signal);
    while (!signal.aborted) {
      try {
        await this.#report();
      } catch (error) {
        logger.warn({ err: error }, 'cannot update the status of the node');
      }
      this.#wake = Promise.withResolvers<void>();
      const tick = new AbortController();
      await Promise.race([pause(clock, checkMs, AbortSignal.any([signal, tick.signal])), this.#wake.promise]);
      tick.abort();
    }
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { clock, logger, register } = this.#options;
    for (let waitMs = registerRetryMsMin; !signal.aborted; waitMs = Math.min(waitMs * 2, registerRetryMsMax)) {
      try {
        this.#registered = await this.#tryRegister(register);
        this.#reference('Normal', 'Starting', 'Starting kubelet.');
        return;
      } catch (error) {
        logger.warn({ err: error }, 'cannot register the node');
        await pause(clock, waitMs, signal);
      }
    }
  }

  async #tryRegister(register: boolean): Promise<Node> {
    const { client, description } = this.#options;
    if (register) {
      try {
        return await client.create(resources.nodes, newNode(description, await this.#status()));
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
    }
    const present = await client.get(resources.nodes, description.name);
    const labels = nodeLabels(description);
    const missing = Object.entries(labels).filter(([key, value]) => present.metadata?.labels?.[key] !== value);
    if (missing.length === 0) return present;
    const patch = { metadata: { labels: Object.fromEntries(missing) } };
    return client.patch(resources.nodes, description.name, patch, { type: 'strategic' });
  }

  async #status(): Promise<NodeStatus> {
    const { description, clock, runtime, facts } = this.#options;
    const nowMs = clock.now();
    this.#base ??= nodeStatusBase(description, await systemInfo(await runtime.version()));
    if (this.#images === undefined || clock.monotonicMs() - this.#images.atMs > imagesReadMs) {
      this.#images = { list: await runtime.images(), atMs: clock.monotonicMs() };
    }
    const images = [...this.#images.list].sort((left, right) => right.sizeBytes - left.sizeBytes).slice(0, imagesMax);
    return {
      ...this.#base,
      conditions: nodeConditions(this.node?.status?.conditions ?? this.#conditions, await facts(), nowMs),
      images: images.map(({ names, sizeBytes }) => ({ names: names.slice(0, 5), sizeBytes })),
    };
  }

  async #report(): Promise<void> {
    const { client, clock, description, logger } = this.#options;
    const known = this.node;
    const next = await this.#status();
    const due = clock.monotonicMs() - this.#reportedAtMs >= reportMs;
    const conditions = next.conditions ?? [];
    const unchanged =
      sameConditions(
        known?.status?.conditions?.filter(({ type }) => conditions.some((one) => one.type === type)),
        conditions,
      ) &&
      (['capacity', 'allocatable', 'addresses', 'nodeInfo', 'images'] as const).every((key) =>
        sameJson(known?.status?.[key], next[key]),
      );
    if (unchanged && !due) return;
    try {
      this.#registered = await client.patch(
        resources.nodes,
        description.name,
        { status: next },
        { subresource: 'status', type: 'strategic' },
      );
    } catch (error) {
      if (!isNotFound(error) || !this.#options.register) throw error;
      // Somebody deleted the node while its kubelet runs: it comes back.
      this.#registered = await client.create(resources.nodes, newNode(description, next));
    }
    this.#reportedAtMs = clock.monotonicMs();
    for (const reason of conditionEvents(this.#conditions, conditions)) {
      this.#reference('Normal', reason, `Node ${description.name} status is now: ${reason}`);
      logger.info({ reason }, 'node condition changed');
    }
    this.#conditions = conditions;
  }

  #reference(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { name } = this.#options.description;
    // Upstream's kubelet names the node where a uid belongs; `kubectl describe node` looks for exactly that.
    this.#options.events.event({ apiVersion: 'v1', kind: 'Node', name, uid: name }, type, reason, message);
  }
}
