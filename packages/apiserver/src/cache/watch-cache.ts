import type { Clock, Logger, Scope } from '@wherry/daemon';
import { pause } from '@wherry/daemon';
import {
  isStorageError,
  type Storage,
  type StorageBatch,
  type StorageWatch,
  type StoredValue,
} from '../storage/port.ts';
import { ProtobufMessages } from './protobuf-messages.ts';
import { type CachedResource, ResourceCache } from './resource-cache.ts';

/** One page of the first listing. */
const PAGE_KEYS = 2_000;
/** Followers woken per turn of the event loop, so that a fan-out to thousands does not stall everything else. */
const FOLLOWERS_PER_TURN = 200;
/** After so long without news a waiting read asks the store for the stream's progress. */
const PROGRESS_AFTER_MS = 25;
const RESTART_PAUSE_MS = 250;
/**
 * The caches of a server that starts begin this many revisions ago, so that clients of another server that is gone go on
 * from where they were: with nothing but the present, all their watches would have to list again.
 */
export const PAST_REVISIONS = 5_000;
const CATCH_UP_MS = 5_000;
/** Reads waiting for the cache at one time. */
export const WAITERS_MAX = 10_000;

export const REGISTRY_PREFIX = '/registry/';

export interface WatchCacheOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Runs a function in the next turn of the event loop (setImmediate). */
  readonly defer: (fn: () => void) => void;
}

interface Waiter {
  readonly revision: number;
  resolve(reached: boolean): void;
}

/** One ordered watch on all of /registry/, split by resource. Its revision is the one all caches have reached. */
export class WatchCache {
  /** Of all resources, so that they share one limit. */
  readonly protobuf = new ProtobufMessages();
  readonly #options: WatchCacheOptions;
  readonly #byPrefix = new Map<string, ResourceCache>();
  readonly #waiters = new Set<Waiter>();
  readonly #touched = new Set<ResourceCache>();
  readonly #progressListeners: (() => void)[] = [];
  #revision = 0;
  /** The present when this server started: until the caches are there they show the past, and nobody is answered. */
  #answersFrom = Number.MAX_SAFE_INTEGER;
  #live = false;
  #watch: StorageWatch | undefined;

  constructor(options: WatchCacheOptions) {
    this.#options = options;
  }

  add(resource: CachedResource): ResourceCache {
    if (this.#byPrefix.has(resource.prefix)) {
      throw new Error(`Two resources under ${resource.prefix}`);
    }
    const cache = new ResourceCache(resource, this.protobuf);
    this.#byPrefix.set(resource.prefix, cache);
    return cache;
  }

  get revision(): number {
    return this.#revision;
  }

  /** True while the stream from the store runs. */
  get live(): boolean {
    return this.#live;
  }

  /** Lets others have a turn in the midst of long work. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.#options.defer(resolve));
  }

  caches(): Iterable<ResourceCache> {
    return this.#byPrefix.values();
  }

  /** Called when the revision moved without a change for someone; used for bookmarks. */
  onProgress(listener: () => void): void {
    this.#progressListeners.push(listener);
  }

  /** Loads everything, then follows the store until the scope closes. Resolves when the caches show the present. */
  async start(scope: Scope): Promise<void> {
    const present = await this.#options.storage.currentRevision(scope.signal);
    this.#answersFrom = present;
    await this.#loadPast(present, scope.signal);
    scope.run('watch cache', (signal) => this.#follow(signal));
    while (!(await this.reached(present, CATCH_UP_MS))) scope.signal.throwIfAborted();
  }

  async #loadPast(present: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#load(signal, Math.min(present, Math.max(1, present - PAST_REVISIONS)));
    } catch (error) {
      if (!isStorageError(error, 'compacted')) throw error;
      await this.#load(signal, 0);
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let compacted = false;
    while (!signal.aborted) {
      try {
        // Here, where a failure is one more reason to try again: the store may be away just then.
        if (compacted) await this.#load(signal, 0);
        compacted = false;
        this.#watch = this.#options.storage.watch(REGISTRY_PREFIX, this.#revision + 1, signal);
        this.#live = true;
        for await (const batch of this.#watch) {
          this.#apply(batch);
        }
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        this.#options.logger.warn({ err: error, revision: this.#revision }, 'watch on the store ended');
        this.#live = false;
        compacted ||= isStorageError(error, 'compacted');
        if (!(await pause(this.#options.clock, RESTART_PAUSE_MS, signal))) {
          return;
        }
      }
    }
  }

  /** @param at fills the caches as of this revision; 0: the newest */
  async #load(signal: AbortSignal, at: number): Promise<void> {
    const items = new Map<ResourceCache, StoredValue[]>();
    let from = REGISTRY_PREFIX;
    let revision = at;
    for (;;) {
      const page = await this.#options.storage.list(REGISTRY_PREFIX, { revision, from, limit: PAGE_KEYS, signal });
      revision = page.revision;
      for (const item of page.items) {
        const cache = this.#cacheOf(item.key);
        if (cache !== undefined) {
          const list = items.get(cache) ?? [];
          list.push(item);
          items.set(cache, list);
        }
      }
      const last = page.items.at(-1);
      if (last === undefined || page.remaining === 0) {
        break;
      }
      from = `${last.key}\0`;
    }
    for (const cache of this.#byPrefix.values()) {
      cache.reset(items.get(cache) ?? [], revision);
    }
    this.#revision = revision;
    this.#wakeWaiters();
  }

  #apply(batch: StorageBatch): void {
    for (const event of batch.events) {
      const cache = this.#cacheOf(event.key);
      if (cache !== undefined) {
        cache.apply(event);
        if (cache.followers.size > 0) {
          this.#touched.add(cache);
        }
      }
    }
    if (batch.revision > this.#revision) {
      this.#revision = batch.revision;
    }
    this.#wakeWaiters();
    for (const cache of this.#touched) {
      this.#fanOut(cache);
    }
    this.#touched.clear();
    for (const listener of this.#progressListeners) {
      listener();
    }
  }

  #fanOut(cache: ResourceCache): void {
    const followers = cache.followers;
    if (followers.size <= FOLLOWERS_PER_TURN) {
      for (const follower of followers) {
        follower.advance();
      }
      return;
    }
    const all = [...followers];
    let next = 0;
    const turn = (): void => {
      const end = Math.min(next + FOLLOWERS_PER_TURN, all.length);
      for (; next < end; next += 1) {
        all[next]?.advance();
      }
      if (next < all.length) {
        this.#options.defer(turn);
      }
    };
    turn();
  }

  #cacheOf(key: string): ResourceCache | undefined {
    const first = key.indexOf('/', REGISTRY_PREFIX.length);
    const cache = this.#byPrefix.get(key.slice(0, first + 1));
    if (cache !== undefined || first === -1) {
      return cache;
    }
    const second = key.indexOf('/', first + 1);
    return second === -1 ? undefined : this.#byPrefix.get(key.slice(0, second + 1));
  }

  #wakeWaiters(): void {
    for (const waiter of this.#waiters) {
      if (this.#includes(waiter.revision)) {
        this.#waiters.delete(waiter);
        waiter.resolve(true);
      }
    }
  }

  /** Waits until everything acknowledged before the call is in the caches. False: it took longer than `timeoutMs`. */
  async fresh(timeoutMs: number): Promise<boolean> {
    const revision = await this.#options.storage.currentRevision();
    return this.#includes(revision) || this.reached(revision, timeoutMs);
  }

  #includes(revision: number): boolean {
    return revision <= this.#revision && this.#answersFrom <= this.#revision;
  }

  /**
   * Waits until the caches include `revision`, and in any case until they are filled. False: it took longer than
   * `timeoutMs`.
   */
  reached(revision: number, timeoutMs: number): Promise<boolean> {
    if (this.#includes(revision)) {
      return Promise.resolve(true);
    }
    if (this.#waiters.size >= WAITERS_MAX) {
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      const { clock } = this.#options;
      const progress = clock.setTimer(PROGRESS_AFTER_MS, () => this.#watch?.requestProgress());
      const timer = clock.setTimer(timeoutMs, () => waiter.resolve(false));
      const waiter: Waiter = {
        revision,
        resolve: (reached) => {
          this.#waiters.delete(waiter);
          progress.cancel();
          timer.cancel();
          resolve(reached);
        },
      };
      this.#waiters.add(waiter);
    });
  }
}
