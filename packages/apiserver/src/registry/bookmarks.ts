import { type Clock, pause } from '@wherry/daemon';
import type { WatchCache } from '../cache/watch-cache.ts';
import type { Watcher } from '../cache/watcher.ts';

const BOOKMARK_EVERY_MS = 60_000;

/** Sends bookmarks to the watchers that allow them, every minute. */
export class Bookmarks {
  readonly #watchers = new Set<Watcher>();
  readonly #watchCache: WatchCache;
  readonly #clock: Clock;

  constructor(watchCache: WatchCache, clock: Clock) {
    this.#watchCache = watchCache;
    this.#clock = clock;
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher);
  }

  remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (await pause(this.#clock, BOOKMARK_EVERY_MS, signal)) {
      for (const watcher of this.#watchers) {
        watcher.bookmark(this.#watchCache.revision);
      }
    }
  }
}
