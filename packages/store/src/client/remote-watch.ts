import type { Clock } from '@wherry/daemon';
import { isStoreError, type StoreError } from '../schema/errors.ts';
import type { Revision, WatchBatch, WatchRequest } from '../schema/messages.ts';
import { BatchQueue } from './batch-queue.ts';
import type { StoreConnection } from './connection.ts';
import type { Endpoints } from './endpoints.ts';
import type { StoreWatch } from './types.ts';

/** Pause before a watch is opened again after the member ended it. */
const REOPEN_MS = 50;

/**
 * A watch that outlives connections: it knows the revision it has delivered and goes on behind it, on whatever member
 * is reached next. It ends only for reasons that another attempt would not change.
 */
export class RemoteWatch implements StoreWatch {
  readonly #endpoints: Endpoints;
  readonly #clock: Clock;
  readonly #request: WatchRequest;
  readonly #queue: BatchQueue;
  readonly #stop = new AbortController();
  readonly #onClose: () => void;
  /** First revision not delivered; 0: "from now on", until a member has said what now is. */
  #next: number;
  #attached: { readonly connection: StoreConnection; readonly id: number } | undefined;
  #progressAsked = false;
  #openedMs = 0;

  constructor(endpoints: Endpoints, clock: Clock, request: WatchRequest, onClose: () => void) {
    this.#endpoints = endpoints;
    this.#clock = clock;
    this.#request = request;
    this.#next = request.startRevision ?? 0;
    this.#onClose = onClose;
    this.#queue = new BatchQueue(
      () => this.#taken(),
      () => this.close(),
    );
    void this.#open();
  }

  requestProgress(): void {
    if (this.#attached === undefined) this.#progressAsked = true;
    else this.#attached.connection.watchProgress(this.#attached.id);
  }

  close(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#attached?.connection.watchCancel(this.#attached.id);
    this.#queue.end();
    this.#onClose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchBatch, undefined> {
    return this.#queue;
  }

  async #open(): Promise<void> {
    const { signal } = this.#stop;
    try {
      const connection = await this.#endpoints.connection(signal);
      if (signal.aborted) return;
      const request = this.#next > 0 ? { ...this.#request, startRevision: this.#next } : this.#request;
      const id = connection.watch(request, {
        created: (revision) => this.#created(revision),
        batch: (batch) => this.#batch(batch),
        ended: (error) => void this.#ended(error),
      });
      this.#attached = { connection, id };
      this.#openedMs = this.#clock.monotonicMs();
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  #created(revision: Revision): void {
    if (this.#next === 0) this.#next = revision + 1;
    if (!this.#progressAsked) return;
    this.#progressAsked = false;
    this.requestProgress();
  }

  #batch(batch: WatchBatch): void {
    // A member that lags behind the one before may report progress that is none.
    if (batch.progress && batch.revision < this.#next - 1) {
      this.#taken();
      return;
    }
    this.#next = Math.max(this.#next, batch.revision + 1);
    this.#queue.push(batch);
  }

  /** The reader took a batch: the member may send another. */
  #taken(): void {
    this.#attached?.connection.watchTaken(this.#attached.id);
  }

  async #ended(error: StoreError): Promise<void> {
    const attached = this.#attached;
    this.#attached = undefined;
    if (this.#stop.signal.aborted) return;
    if (isStoreError(error, 'noLeader') && attached !== undefined) this.#endpoints.notLeader(attached.connection);
    if (!isStoreError(error, 'connectionLost', 'unavailable', 'tooManyRequests', 'noLeader')) {
      this.#fail(error);
      return;
    }
    try {
      // The next connection waits for a leader by itself; only one that breaks again and again is given time.
      const nowMs = this.#clock.monotonicMs();
      const soon = isStoreError(error, 'connectionLost') && nowMs - this.#openedMs > REOPEN_MS;
      if (!soon) await this.#clock.sleep(REOPEN_MS, this.#stop.signal);
    } catch {
      // Closed while waiting: `close` has ended the queue.
      return;
    }
    await this.#open();
  }

  #fail(error: unknown): void {
    this.#queue.end(error);
    this.close();
  }
}
