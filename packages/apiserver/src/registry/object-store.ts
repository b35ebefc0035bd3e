import {
  type ApiObject,
  alreadyExists,
  conflict,
  internalError,
  notFound,
  StatusError,
  serviceUnavailable,
  timeout,
} from '@wherry/api';
import { encodeForStorage } from '../cache/encoding.ts';
import type { Entry } from '../cache/entry.ts';
import type { WatchCache } from '../cache/watch-cache.ts';
import { sameEntries } from '../managedfields/managers.ts';
import { type Json, jsonEqual } from '../patch/json.ts';
import { type Storage, StorageError, type StoredValue, type WriteOutcome } from '../storage/port.ts';
import type { StoredKind } from './served-kind.ts';

/** A write that keeps losing to others gives up with 409. */
const ATTEMPTS_MAX = 100;
/** How long a read waits for the cache to reach a revision before it answers 504, as upstream. */
export const REVISION_WAIT_MS_MAX = 3_000;

/** What an update makes of the present object. */
export type Change =
  | { readonly kind: 'write'; readonly object: ApiObject }
  | { readonly kind: 'remove' }
  | { readonly kind: 'keep' };

export type Updated =
  | { readonly kind: 'written' | 'created' | 'unchanged'; readonly entry: Entry }
  | { readonly kind: 'removed'; readonly entry: Entry };

export interface UpdateOptions {
  readonly dryRun: boolean;
  /** Makes the object when there is none; without it that is 404. */
  readonly createMissing?: (() => Promise<Entry>) | undefined;
}

/** Reads and compare-and-set writes of single objects, over the watch cache and the storage port. */
export class ObjectStore {
  readonly #storage: Storage;
  readonly #watchCache: WatchCache;

  constructor(storage: Storage, watchCache: WatchCache) {
    this.#storage = storage;
    this.#watchCache = watchCache;
  }

  async create(stored: StoredKind, object: ApiObject, dryRun: boolean): Promise<Entry> {
    const { namespace = '', name = '' } = object.metadata ?? {};
    const { cache } = stored;
    const key = cache.key(namespace, name);
    const bytes = encodeForStorage(cache.resource.encoding, object);
    if (dryRun) {
      if ((await this.current(stored, namespace, name)) !== undefined) {
        throw alreadyExists(stored, name);
      }
      return cache.accept({ key, stored: bytes, object, made: undefined }, 0);
    }
    const offer = cache.offer(key, bytes, object);
    const outcome = await this.#attempt(stored, offer.key, () => this.#storage.create(key, bytes, ttl(stored))).catch(
      (error: unknown) => {
        cache.withdraw(offer);
        throw error;
      },
    );
    if (!outcome.done) {
      cache.withdraw(offer);
      throw alreadyExists(stored, name);
    }
    return cache.accept(offer, outcome.revision);
  }

  /** The object as of now: everything acknowledged before the call is seen. */
  async current(stored: StoredKind, namespace: string, name: string): Promise<Entry | undefined> {
    await this.fresh();
    return stored.cache.get(namespace, name);
  }

  /** Waits until the cache has everything acknowledged so far. @throws StatusError Timeout, ServiceUnavailable */
  async fresh(): Promise<void> {
    const reached = await translated(this.#watchCache.fresh(REVISION_WAIT_MS_MAX));
    if (!reached) {
      throw serviceUnavailable('the watch cache has not caught up with the store, please try again');
    }
  }

  /**
   * Reads, changes and writes until no one interferes. `change` first sees the cached object; whatever it decides on
   * that basis is decided again on the store's own if it was to refuse or to do nothing, since the cache may lag.
   */
  async update(
    stored: StoredKind,
    namespace: string,
    name: string,
    options: UpdateOptions,
    change: (current: Entry) => Change | Promise<Change>,
  ): Promise<Updated> {
    const key = stored.cache.key(namespace, name);
    let current = stored.cache.get(namespace, name);
    let certain = false;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      if (current === undefined && !certain) {
        current = await this.#read(stored, key);
        certain = true;
      }
      if (current === undefined) {
        if (options.createMissing === undefined) {
          throw notFound(stored, name);
        }
        return { kind: 'created', entry: await options.createMissing() };
      }
      const decided = await this.#decide(current, certain, change);
      const result =
        decided === undefined ? undefined : await this.#carryOut(stored, current, certain, decided, options);
      if (result !== undefined && 'updated' in result) {
        return result.updated;
      }
      current = result === undefined ? await this.#read(stored, key, current) : result.current;
      certain = true;
    }
    throw conflict(stored, name);
  }

  /** Undefined: refused on the basis of an object that may be old. */
  async #decide(
    current: Entry,
    certain: boolean,
    change: (current: Entry) => Change | Promise<Change>,
  ): Promise<Change | undefined> {
    try {
      return await change(current);
    } catch (error) {
      if (certain || !(error instanceof StatusError)) {
        throw error;
      }
      return undefined;
    }
  }

  /** Undefined: look again at the store's own object; `current`: someone else was faster. */
  async #carryOut(
    stored: StoredKind,
    current: Entry,
    certain: boolean,
    decided: Change,
    options: UpdateOptions,
  ): Promise<{ readonly updated: Updated } | { readonly current: Entry | undefined } | undefined> {
    if (decided.kind === 'keep' || (decided.kind === 'write' && sameContent(decided.object, current.object()))) {
      return certain ? { updated: { kind: 'unchanged', entry: current } } : undefined;
    }
    if (decided.kind === 'remove') {
      return this.#remove(stored, current, options.dryRun);
    }
    const { cache } = stored;
    const bytes = encodeForStorage(cache.resource.encoding, decided.object);
    if (options.dryRun) {
      const offer = { key: current.key, stored: bytes, object: decided.object, made: undefined };
      return { updated: { kind: 'written', entry: cache.accept(offer, current.revision) } };
    }
    const offer = cache.offer(current.key, bytes, decided.object);
    const outcome = await this.#attempt(stored, current.key, () =>
      this.#storage.update(current.key, bytes, current.revision, ttl(stored)),
    ).catch((error: unknown) => {
      cache.withdraw(offer);
      throw error;
    });
    if (outcome.done) {
      return { updated: { kind: 'written', entry: cache.accept(offer, outcome.revision) } };
    }
    cache.withdraw(offer);
    return { current: decoded(stored, outcome.current) };
  }

  async #remove(
    stored: StoredKind,
    current: Entry,
    dryRun: boolean,
  ): Promise<{ readonly updated: Updated } | { readonly current: Entry | undefined }> {
    if (dryRun) {
      return { updated: { kind: 'removed', entry: current } };
    }
    const outcome = await this.#attempt(stored, current.key, () => this.#storage.delete(current.key, current.revision));
    return outcome.done
      ? { updated: { kind: 'removed', entry: current } }
      : { current: decoded(stored, outcome.current) };
  }

  /** @param known what is taken for the present object: nothing need be decoded if it is */
  async #read(stored: StoredKind, key: string, known?: Entry): Promise<Entry | undefined> {
    const found = await translated(this.#storage.get(key));
    return known !== undefined && found?.revision === known.revision ? known : decoded(stored, found);
  }

  async #attempt(stored: StoredKind, key: string, write: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
    try {
      return await write();
    } catch (error) {
      throw translate(error, `write of ${stored.resource} ${key}`);
    }
  }
}

function decoded(stored: StoredKind, value: StoredValue | undefined): Entry | undefined {
  return value === undefined ? undefined : stored.cache.decode(value);
}

function ttl(stored: StoredKind): { readonly ttlSeconds?: number } {
  return stored.ttlSeconds === undefined ? {} : { ttlSeconds: stored.ttlSeconds };
}

/** Whether nothing changed but, at most, when somebody last changed something. */
function sameContent(next: ApiObject, current: ApiObject): boolean {
  const { resourceVersion: _next, managedFields: nextEntries = [], ...nextMetadata } = next.metadata ?? {};
  const { resourceVersion: _current, managedFields: currentEntries = [], ...currentMetadata } = current.metadata ?? {};
  return (
    sameEntries(nextEntries, currentEntries, 'ignore') &&
    jsonEqual(
      { ...next, metadata: nextMetadata } as unknown as Json,
      { ...current, metadata: currentMetadata } as unknown as Json,
    )
  );
}

/** The write may have been carried out although its answer was lost: nothing it took may be given back. */
export function mayHaveHappened(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'Timeout';
}

export async function translated<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw translate(error, 'read');
  }
}

/** What clients are told when the store fails; upstream passes etcd's words on. */
export function translate(error: unknown, operation: string): unknown {
  if (!(error instanceof StorageError)) {
    return error;
  }
  switch (error.kind) {
    case 'unknownOutcome':
      return timeout(`request did not complete within the allotted time: ${error.message} (${operation})`);
    case 'unavailable':
      return serviceUnavailable(`the store cannot be reached: ${error.message}`, { cause: error });
    default:
      return internalError(error.message, { cause: error });
  }
}
