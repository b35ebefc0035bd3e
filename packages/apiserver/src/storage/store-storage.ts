import type { Clock } from '@wherry/daemon';
import { type KeyValue, prefixEnd, type StoreClient, StoreError, type TxnResponse } from '@wherry/store/client';
import {
  type ListOptions,
  type ReadOptions,
  type Storage,
  type StorageBatch,
  StorageError,
  type StorageErrorKind,
  type StorageStatus,
  type StorageWatch,
  type StoredList,
  type StoredValue,
  type WriteOptions,
  type WriteOutcome,
} from './port.ts';

/** Keys written within this part of their lifetime share a lease, as upstream does; one per event would flood. */
const LEASE_SHARED_PART = 0.05;
const LEASE_SHARED_SECONDS_MAX = 60;
/** …and by at most so many keys, because revoking one removes them all in one revision. */
const LEASE_KEYS_MAX = 1_000;
/** Any key will do to learn the revision; this one is never written. */
const REVISION_KEY = '/registry/health';

/** The storage port on Wherry's own store. */
export class StoreStorage implements Storage {
  readonly #client: StoreClient;
  readonly #clock: Clock;
  readonly #leases = new Map<number, { id: Promise<number | bigint>; keys: number; grantedAtMs: number }>();
  #nextRevisionRead: Promise<number> | undefined;
  #revisionReadRunning: Promise<number> | undefined;

  constructor(client: StoreClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async get(key: string, options: ReadOptions = {}): Promise<StoredValue | undefined> {
    const answer = await guarded(this.#client.range({ key }, options));
    const kv = answer.kvs[0];
    return kv === undefined ? undefined : toStored(kv);
  }

  async list(prefix: string, options: ListOptions): Promise<StoredList> {
    const answer = await guarded(
      this.#client.range(
        { key: options.from ?? prefix, rangeEnd: prefixEnd(prefix), revision: options.revision, limit: options.limit },
        options.signal === undefined ? {} : { signal: options.signal },
      ),
    );
    return {
      revision: options.revision === 0 ? answer.revision : options.revision,
      items: answer.kvs.map(toStored),
      remaining: answer.count - answer.kvs.length,
    };
  }

  /**
   * One read answers all callers that asked before it was sent: a burst of consistent reads costs two round trips.
   */
  currentRevision(): Promise<number> {
    if (this.#revisionReadRunning === undefined) {
      this.#revisionReadRunning = this.#readRevision();
      return this.#revisionReadRunning;
    }
    this.#nextRevisionRead ??= this.#revisionReadRunning
      .catch(() => 0)
      .then(() => {
        this.#nextRevisionRead = undefined;
        this.#revisionReadRunning = this.#readRevision();
        return this.#revisionReadRunning;
      });
    return this.#nextRevisionRead;
  }

  async #readRevision(): Promise<number> {
    try {
      return (await guarded(this.#client.range({ key: REVISION_KEY, countOnly: true }))).revision;
    } finally {
      this.#revisionReadRunning = undefined;
    }
  }

  async create(key: string, value: Uint8Array, options: WriteOptions = {}): Promise<WriteOutcome> {
    const lease = await this.#lease(options.ttlSeconds);
    const answer = await guarded(
      this.#client.txn({
        compare: [{ key, target: 'mod', result: 'equal', modRevision: 0 }],
        success: [{ kind: 'put', request: { key, value, lease } }],
        failure: [{ kind: 'range', request: { key } }],
      }),
    );
    return outcome(answer);
  }

  async update(key: string, value: Uint8Array, expected: number, options: WriteOptions = {}): Promise<WriteOutcome> {
    const lease = await this.#lease(options.ttlSeconds);
    const answer = await guarded(
      this.#client.txn({
        compare: [{ key, target: 'mod', result: 'equal', modRevision: expected }],
        success: [{ kind: 'put', request: { key, value, lease } }],
        failure: [{ kind: 'range', request: { key } }],
      }),
    );
    return outcome(answer);
  }

  async delete(key: string, expected: number): Promise<WriteOutcome> {
    const answer = await guarded(
      this.#client.txn({
        compare: [{ key, target: 'mod', result: 'equal', modRevision: expected }],
        success: [{ kind: 'deleteRange', request: { key } }],
        failure: [{ kind: 'range', request: { key } }],
      }),
    );
    return outcome(answer);
  }

  watch(prefix: string, startRevision: number, signal: AbortSignal): StorageWatch {
    const watch = this.#client.watch(
      { key: prefix, rangeEnd: prefixEnd(prefix), startRevision, progressNotify: true },
      { signal },
    );
    return {
      requestProgress: () => watch.requestProgress(),
      async *[Symbol.asyncIterator](): AsyncIterator<StorageBatch> {
        try {
          for await (const batch of watch) {
            yield {
              revision: batch.revision,
              events: batch.events.map(({ kind, kv }) => ({
                kind,
                key: kv.key.toString(),
                value: kv.value,
                revision: kv.modRevision,
              })),
            };
          }
        } catch (error) {
          throw translate(error);
        }
      },
    };
  }

  async compact(revision: number): Promise<void> {
    await guarded(this.#client.compact(revision));
  }

  async status(): Promise<StorageStatus> {
    const status = await guarded(this.#client.status());
    return { version: status.version, sizeBytes: status.dbSizeBytes, revision: status.revision };
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #lease(ttlSeconds: number | undefined): Promise<number | bigint> {
    if (ttlSeconds === undefined) {
      return 0;
    }
    const nowMs = this.#clock.monotonicMs();
    const sharedSeconds = Math.min(LEASE_SHARED_SECONDS_MAX, ttlSeconds * LEASE_SHARED_PART);
    let shared = this.#leases.get(ttlSeconds);
    if (shared === undefined || shared.keys >= LEASE_KEYS_MAX || nowMs - shared.grantedAtMs > sharedSeconds * 1000) {
      // Keys that join late must still live their full time.
      const id = guarded(this.#client.leaseGrant({ ttlSeconds: Math.ceil(ttlSeconds + sharedSeconds) })).then(
        (grant) => grant.id,
      );
      const granted = { id, keys: 0, grantedAtMs: nowMs };
      shared = granted;
      this.#leases.set(ttlSeconds, granted);
      id.catch(() => {
        if (this.#leases.get(ttlSeconds) === granted) {
          this.#leases.delete(ttlSeconds);
        }
      });
    }
    shared.keys += 1;
    return shared.id;
  }
}

function outcome(answer: TxnResponse): WriteOutcome {
  if (answer.succeeded) {
    return { done: true, revision: answer.revision };
  }
  const read = answer.responses[0];
  const kv = read?.kind === 'range' ? read.response.kvs[0] : undefined;
  return kv === undefined ? { done: false } : { done: false, current: toStored(kv) };
}

function toStored(kv: KeyValue): StoredValue {
  return { key: kv.key.toString(), value: kv.value, revision: kv.modRevision };
}

async function guarded<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw translate(error);
  }
}

function translate(error: unknown): unknown {
  if (!(error instanceof StoreError)) {
    return error;
  }
  return new StorageError(kindOf(error), error.message, error);
}

function kindOf(error: StoreError): StorageErrorKind {
  switch (error.kind) {
    case 'compacted':
    case 'futureRevision':
      return error.kind;
    case 'noSpace':
      return 'full';
    case 'unavailable':
    case 'noLeader':
    case 'notLeader':
    case 'tooManyRequests':
      return 'unavailable';
    default:
      return error.outcome === 'unknown' ? 'unknownOutcome' : 'other';
  }
}
