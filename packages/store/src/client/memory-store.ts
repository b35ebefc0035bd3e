import type { Clock, Timer } from '@wherry/daemon';
import { Mvcc } from '../mvcc/mvcc.ts';
import { range } from '../mvcc/range.ts';
import { isRefusal, type Refusal } from '../mvcc/refusal.ts';
import { deleteRange, grantLease, put, revokeLease, txn } from '../mvcc/txn.ts';
import { checkKey, checkPutShape, checkTxnShape } from '../mvcc/validate.ts';
import type { Watcher } from '../mvcc/watch-hub.ts';
import { StoreError } from '../schema/errors.ts';
import { PROGRESS_INTERVAL_MS, WATCH_WINDOW_BATCHES } from '../schema/limits.ts';
import type {
  LeaseGrantRequest,
  LeaseId,
  LeaseKeepAliveResponse,
  Revision,
  StatusResponse,
  TxnRequest,
  WatchBatch,
  WatchRequest,
} from '../schema/messages.ts';
import { toLeaseId } from '../schema/messages.ts';
import { BatchQueue } from './batch-queue.ts';
import { plainBatch, plainKeyValue, plainPrevKv, plainRange, plainTxn } from './plain.ts';
import type { CallOptions, StoreClient, StoreWatch } from './types.ts';

/** Compaction work done at once. */
const PRUNE_STEPS = 10_000;

export interface MemoryStoreOptions {
  /** For lease expiry and progress notices. */
  readonly clock: Clock;
}

/**
 * The store inside this process: the MVCC rules of the real one, nothing durable, no network. For tests and
 * simulation. Every answer comes on a later microtask, as if it had travelled.
 */
export function createMemoryStore(options: MemoryStoreOptions): StoreClient {
  return new MemoryStore(options.clock);
}

class MemoryStore implements StoreClient {
  readonly #clock: Clock;
  readonly #mvcc = new Mvcc();
  readonly #expiries = new Map<LeaseId, { timer: Timer; readonly ttlSeconds: number; deadlineMs: number }>();
  readonly #watches = new Set<MemoryWatch>();
  #lastLease = 0;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async range(request: Parameters<StoreClient['range']>[0], options?: CallOptions) {
    return this.#answer(options, () => {
      const response = checkKey(request) ?? range(this.#mvcc, request);
      return isRefusal(response) ? response : plainRange(response);
    });
  }

  async put(request: Parameters<StoreClient['put']>[0], options?: CallOptions) {
    return this.#answer(options, () => {
      const response = checkPutShape(request) ?? put(this.#mvcc, request);
      return isRefusal(response) ? response : plainPrevKv(response);
    });
  }

  async deleteRange(request: Parameters<StoreClient['deleteRange']>[0], options?: CallOptions) {
    return this.#answer(options, () => {
      const response = checkKey(request) ?? deleteRange(this.#mvcc, request);
      return isRefusal(response) ? response : { ...response, prevKvs: response.prevKvs.map(plainKeyValue) };
    });
  }

  async txn(request: TxnRequest, options?: CallOptions) {
    return this.#answer(options, () => {
      const response = checkTxnShape(request) ?? txn(this.#mvcc, request);
      return isRefusal(response) ? response : plainTxn(response);
    });
  }

  async compact(revision: number, options?: CallOptions) {
    return this.#answer(options, () => {
      const refusal = this.#mvcc.compact(revision);
      while (!this.#mvcc.prune(PRUNE_STEPS));
      return refusal ?? { revision: this.#mvcc.revision };
    });
  }

  watch(request: WatchRequest, options?: { readonly signal?: AbortSignal }): StoreWatch {
    const watch = new MemoryWatch(this.#mvcc, this.#clock, request, () => this.#watches.delete(watch));
    if (this.#closed || options?.signal?.aborted === true) watch.close();
    else this.#watches.add(watch);
    options?.signal?.addEventListener('abort', () => watch.close(), { once: true });
    return watch;
  }

  async leaseGrant(request: LeaseGrantRequest, options?: CallOptions) {
    return this.#answer(options, () => {
      const id = toLeaseId(request.id !== undefined && request.id !== 0 ? request.id : ++this.#lastLease);
      const refusal = grantLease(this.#mvcc, id, request.ttlSeconds);
      if (refusal !== undefined) return refusal;
      this.#renew(id, request.ttlSeconds);
      return { revision: this.#mvcc.revision, id, ttlSeconds: request.ttlSeconds };
    });
  }

  async leaseRevoke(id: number | bigint, options?: CallOptions) {
    return this.#answer(options, () => {
      const revision = this.#revoke(id as LeaseId);
      return typeof revision === 'number' ? { revision } : revision;
    });
  }

  async leaseKeepAlive(id: number | bigint, options?: CallOptions): Promise<LeaseKeepAliveResponse> {
    return this.#answer(options, (): LeaseKeepAliveResponse | Refusal => {
      const lease = this.#mvcc.leases.get(id as LeaseId);
      if (lease === undefined) return { refused: 'leaseNotFound' };
      this.#renew(lease.id, lease.ttlSeconds);
      return { revision: this.#mvcc.revision, id: lease.id, ttlSeconds: lease.ttlSeconds };
    });
  }

  async leaseTimeToLive(id: number | bigint, options?: CallOptions & { readonly keys?: boolean }) {
    return this.#answer(options, () => {
      const { revision } = this.#mvcc;
      const lease = this.#mvcc.leases.get(id as LeaseId);
      const expiry = this.#expiries.get(id as LeaseId);
      if (lease === undefined || expiry === undefined) {
        return { revision, id: id as LeaseId, ttlSeconds: -1, grantedTtlSeconds: 0, keys: [] };
      }
      const keys = options?.keys === true ? [...lease.keys].map(({ key }) => Buffer.from(key, 'latin1')) : [];
      const ttlSeconds = Math.max(0, Math.floor((expiry.deadlineMs - this.#clock.monotonicMs()) / 1000));
      return { revision, id: lease.id, ttlSeconds, grantedTtlSeconds: lease.ttlSeconds, keys };
    });
  }

  async status(options?: CallOptions): Promise<StatusResponse> {
    return this.#answer(options, () => ({
      revision: this.#mvcc.revision,
      version: 'memory',
      clusterId: 1,
      memberId: 1,
      leader: 1,
      raftIndex: this.#mvcc.revision,
      raftTerm: 1,
      raftAppliedIndex: this.#mvcc.revision,
      dbSizeBytes: this.#mvcc.sizeBytes,
      isLearner: false,
      errors: [],
    }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#expiries.values()) timer.cancel();
    for (const watch of [...this.#watches]) watch.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #answer<T extends object>(options: CallOptions | undefined, work: () => T | Refusal): T {
    options?.signal?.throwIfAborted();
    if (this.#closed) throw new StoreError('unavailable', { detail: 'the client is closed' });
    const outcome = work();
    if (isRefusal(outcome)) throw new StoreError(outcome.refused, outcome);
    return outcome;
  }

  #renew(id: LeaseId, ttlSeconds: number): void {
    this.#expiries.get(id)?.timer.cancel();
    const timer = this.#clock.setTimer(ttlSeconds * 1000, () => void this.#revoke(id));
    this.#expiries.set(id, { timer, ttlSeconds, deadlineMs: this.#clock.monotonicMs() + ttlSeconds * 1000 });
  }

  #revoke(id: LeaseId): Revision | Refusal {
    this.#expiries.get(id)?.timer.cancel();
    this.#expiries.delete(id);
    return revokeLease(this.#mvcc, id);
  }
}

class MemoryWatch implements StoreWatch {
  readonly #mvcc: Mvcc;
  readonly #clock: Clock;
  readonly #progressNotify: boolean;
  readonly #queue: BatchQueue;
  readonly #onClose: () => void;
  #watcher: Watcher | undefined;
  #progressTimer: Timer | undefined;
  #progressAsked = false;

  constructor(mvcc: Mvcc, clock: Clock, request: WatchRequest, onClose: () => void) {
    this.#mvcc = mvcc;
    this.#clock = clock;
    this.#progressNotify = request.progressNotify === true;
    this.#onClose = onClose;
    this.#queue = new BatchQueue(
      () => this.#pump(),
      () => this.close(),
    );
    const refusal = checkKey(request);
    if (refusal !== undefined) {
      this.#queue.end(new StoreError(refusal.refused));
      return;
    }
    this.#watcher = mvcc.watches.add(request, () => queueMicrotask(() => this.#pump()));
    this.#armProgress();
    queueMicrotask(() => this.#pump());
  }

  requestProgress(): void {
    this.#progressAsked = true;
    queueMicrotask(() => this.#pump());
  }

  close(): void {
    this.#progressTimer?.cancel();
    if (this.#watcher !== undefined) this.#mvcc.watches.remove(this.#watcher);
    this.#queue.end();
    this.#onClose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchBatch, undefined> {
    return this.#queue;
  }

  #pump(): void {
    if (this.#watcher === undefined || this.#queue.ended) return;
    while (this.#queue.length < WATCH_WINDOW_BATCHES) {
      const taken = this.#mvcc.watches.take(this.#watcher);
      if (taken === undefined) {
        if (this.#progressAsked) this.#progress();
        return;
      }
      if (isRefusal(taken)) {
        this.#queue.end(new StoreError(taken.refused, taken));
        this.close();
        return;
      }
      if (taken.events.length === 0) continue;
      this.#armProgress();
      this.#queue.push(plainBatch(taken));
    }
  }

  #armProgress(): void {
    this.#progressTimer?.cancel();
    if (!this.#progressNotify) return;
    this.#progressTimer = this.#clock.setTimer(PROGRESS_INTERVAL_MS, () => {
      this.#armProgress();
      this.requestProgress();
    });
  }

  #progress(): void {
    this.#progressAsked = false;
    this.#queue.push({ revision: this.#mvcc.revision, events: [], progress: true });
  }
}
