import { type ApiObject, objectKey } from '@wherry/api';
import {
  type BackoffLimits,
  type Change,
  type Informer,
  logPlan,
  type Outcome,
  OwnWrites,
  type PlanRecord,
  runWorkers,
  WorkQueue,
} from '@wherry/client';
import type { Logger } from '@wherry/daemon';
import type { ControllerContext } from './context.ts';

/** The part of a controller that is the same for all: a queue of keys, workers, and own writes awaited. */
export class Keyed {
  readonly queue: WorkQueue;
  readonly own: OwnWrites;
  readonly logger: Logger;
  readonly #context: ControllerContext;
  readonly #name: string;

  constructor(context: ControllerContext, name: string, backoff: BackoffLimits = {}) {
    this.#context = context;
    this.#name = name;
    this.logger = context.logger.child({ controller: name });
    this.queue = new WorkQueue(context.clock, backoff);
    this.own = new OwnWrites(context.clock, this.logger, (key) => this.queue.add(key));
  }

  /** Queues a key for every object of the informer, now and whenever it changes. */
  follow<T extends ApiObject>(
    informer: Informer<T>,
    keysOf: (change: Change<T>) => Iterable<string | undefined>,
  ): void {
    const stop = informer.onChange((change) => {
      for (const key of keysOf(change)) if (key !== undefined) this.queue.add(key);
    });
    this.#context.scope.onClose(stop);
  }

  /** Queues each object's own key. */
  followOwn<T extends ApiObject>(informer: Informer<T>): void {
    this.follow(informer, (change) => [change.key]);
  }

  /**
   * Begins once the caches are filled: a plan made on half a cache would undo what it cannot see. A key whose own
   * writes are not yet in the caches waits; it is queued again by itself.
   */
  run(
    workers: number,
    caches: readonly Informer<ApiObject>[],
    reconcile: (key: string, signal: AbortSignal) => Promise<Outcome | undefined>,
  ): void {
    const { scope } = this.#context;
    scope.run(`start ${this.#name}`, async (signal) => {
      await Promise.all(caches.map((cache) => cache.synced(signal)));
      runWorkers({
        name: this.#name,
        queue: this.queue,
        workers,
        scope,
        logger: this.logger,
        reconcile: async (key, workerSignal) => (this.own.settled(key) ? reconcile(key, workerSignal) : undefined),
      });
    });
  }

  /** Logs a plan that was carried out. */
  acted(key: string, inputs: readonly ApiObject[], why: string, actions: PlanRecord['actions']): void {
    if (actions.length === 0) return;
    const versions = inputs.slice(0, LOGGED_INPUTS_MAX).map((input) => ({
      key: objectKey(input),
      resourceVersion: input.metadata?.resourceVersion,
    }));
    logPlan(this.logger, { controller: this.#name, key, inputs: versions, why, actions });
  }
}

/** A plan of a very large set would otherwise make very long lines; the owner always comes first. */
const LOGGED_INPUTS_MAX = 100;

/** An informer of any kind, where only its readiness matters. */
export function anyCache<T extends ApiObject>(informer: Informer<T>): Informer<ApiObject> {
  return informer as unknown as Informer<ApiObject>;
}
