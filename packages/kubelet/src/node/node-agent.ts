// Registers the node and keeps its status true: looked at every few seconds, written when something changed, and
// every five minutes in any case.
import {
  isAlreadyExists,
  isNotFound,
  type Node,
  type NodeCondition,
  type NodeStatus,
  type NodeSystemInfo,
  resources,
} from '@wherry/api';
import type { ApiClient, Informer } from '@wherry/client';
import { type Clock, type Logger, pause } from '@wherry/daemon';
import { conditionEvents, type NodeFacts, nodeConditions, sameConditions } from '../plan/node-conditions.ts';
import { type NodeDescription, newNode, nodeLabels, nodeStatusBase } from '../plan/node-object.ts';
import { sameJson } from '../plan/pod-status.ts';
import type { EventSink } from '../pods/pod-events.ts';
import type { Gate } from '../runtime/gate.ts';
import type { ImageFacts, Runtime } from '../runtime/port.ts';

export interface NodeAgentOptions {
  readonly client: ApiClient;
  readonly nodes: Pick<Informer<Node>, 'get'>;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventSink;
  readonly description: NodeDescription;
  readonly register: boolean;
  /** How often the node is looked at. */
  readonly checkMs: number;
  /** How often it is reported when nothing has changed. @default 5 min */
  readonly reportMs?: number;
  /** Nodes of one process write a few at a time. */
  readonly writes?: Gate;
  /** @throws when the runtime does not answer */
  readonly systemInfo: () => Promise<NodeSystemInfo>;
  readonly facts: () => Promise<NodeFacts>;
}

const reportMsDefault = 300_000;
const reportRetryMs = 10_000;
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
  readonly #registration = Promise.withResolvers<void>();

  constructor(options: NodeAgentOptions) {
    this.#options = options;
  }

  /** The Node object as the API last showed it. */
  get node(): Node | undefined {
    const known = this.#options.nodes.get(this.#options.description.name);
    // Once is enough in memory.
    if (known !== undefined) this.#registered = undefined;
    return known ?? this.#registered;
  }

  /** Resolves once the node has an object, or nobody waits for it any more. */
  get registered(): Promise<void> {
    return this.#registration.promise;
  }

  get hasReported(): boolean {
    return Number.isFinite(this.#reportedAtMs);
  }

  /** Looks at the node now, for example because its network has become ready. */
  checkNow(): void {
    this.#wake.resolve();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, checkMs, logger } = this.#options;
    await this.#register(signal);
    this.#registration.resolve();
    while (!signal.aborted) {
      // Before it looks: what changes meanwhile must be looked at again.
      this.#wake = Promise.withResolvers<void>();
      let waitMs = checkMs;
      try {
        await this.#report();
      } catch (error) {
        logger.warn({ err: error, node: this.#options.description.name }, 'cannot update the status of the node');
        waitMs = Math.min(checkMs, reportRetryMs);
      }
      const tick = new AbortController();
      await Promise.race([pause(clock, waitMs, AbortSignal.any([signal, tick.signal])), this.#wake.promise]);
      tick.abort();
    }
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { clock, logger, register } = this.#options;
    for (let waitMs = registerRetryMsMin; !signal.aborted; waitMs = Math.min(waitMs * 2, registerRetryMsMax)) {
      try {
        this.#registered = await this.#inTurn(() => this.#tryRegister(register));
        this.#reference('Normal', 'Starting', 'Starting kubelet.');
        return;
      } catch (error) {
        logger.warn({ err: error }, 'cannot register the node');
        await pause(clock, waitMs, signal);
      }
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#options.writes?.run(work) ?? work();
  }

  async #tryRegister(register: boolean): Promise<Node> {
    const { client, description } = this.#options;
    if (register && this.#options.nodes.get(description.name) === undefined) {
      try {
        const status = await this.#status();
        const created = await client.create(resources.nodes, newNode(description, status));
        this.#reported(status);
        return created;
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
    }
    const present = this.#options.nodes.get(description.name) ?? (await client.get(resources.nodes, description.name));
    const labels = nodeLabels(description);
    const missing = Object.entries(labels).filter(([key, value]) => present.metadata?.labels?.[key] !== value);
    if (missing.length === 0) return present;
    const patch = { metadata: { labels: Object.fromEntries(missing) } };
    return client.patch(resources.nodes, description.name, patch, { type: 'strategic' });
  }

  async #status(): Promise<NodeStatus> {
    const { description, clock, runtime, facts } = this.#options;
    const nowMs = clock.now();
    this.#base ??= nodeStatusBase(description, await this.#options.systemInfo());
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
    const { client, clock, description, reportMs = reportMsDefault } = this.#options;
    const known = this.node;
    const next = await this.#status();
    const due = clock.monotonicMs() - this.#reportedAtMs >= reportMs;
    const conditions = next.conditions ?? [];
    const unchanged =
      sameConditions(
        known?.status?.conditions?.filter(({ type }) => conditions.some((one) => one.type === type)),
        conditions,
      ) &&
      sameJson(known?.status?.images ?? [], next.images) &&
      (['capacity', 'allocatable', 'addresses', 'nodeInfo'] as const).every((key) =>
        sameJson(known?.status?.[key], next[key]),
      );
    if (unchanged && !due) return;
    try {
      const options = { subresource: 'status', type: 'strategic' } as const;
      this.#registered = await this.#inTurn(() =>
        client.patch(resources.nodes, description.name, { status: next }, options),
      );
    } catch (error) {
      if (!isNotFound(error) || !this.#options.register) throw error;
      // Somebody deleted the node while its kubelet runs: it comes back.
      this.#registered = await client.create(resources.nodes, newNode(description, next));
    }
    this.#reported(next);
  }

  #reported({ conditions = [] }: NodeStatus): void {
    const { clock, description, logger } = this.#options;
    this.#reportedAtMs = clock.monotonicMs();
    for (const reason of conditionEvents(this.#conditions, conditions)) {
      this.#reference('Normal', reason, `Node ${description.name} status is now: ${reason}`);
      logger.info({ reason, node: description.name }, 'node condition changed');
    }
    this.#conditions = conditions;
  }

  #reference(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { name } = this.#options.description;
    // Upstream's kubelet names the node where a uid belongs; `kubectl describe node` looks for exactly that.
    this.#options.events.event({ apiVersion: 'v1', kind: 'Node', name, uid: name }, type, reason, message);
  }
}
