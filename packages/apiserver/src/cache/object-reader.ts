import type { ApiObject, GroupResource, Resource } from '@wherry/api';
import type { ChangeEvent } from './event.ts';
import type { ResourceCache } from './resource-cache.ts';
import type { WatchCache } from './watch-cache.ts';

const FRESH_MS_MAX = 3_000;

/** How this server's own parts (authorization, admission) read objects: from the watch cache, at no cost. */
export class ObjectReader {
  readonly #caches = new Map<string, ResourceCache>();
  readonly #watchCache: WatchCache;

  constructor(watchCache: WatchCache) {
    this.#watchCache = watchCache;
  }

  register(resource: GroupResource, cache: ResourceCache): void {
    this.#caches.set(key(resource), cache);
  }

  cacheOf(resource: GroupResource): ResourceCache {
    const cache = this.#caches.get(key(resource));
    if (cache === undefined) {
      throw new Error(`Resource ${key(resource)} is not served`);
    }
    return cache;
  }

  read<T extends ApiObject>(resource: Resource<T>, namespace: string, name: string): T | undefined {
    return this.cacheOf(resource).get(namespace, name)?.object() as T | undefined;
  }

  /** Like `read`, but a miss is only believed once the cache has caught up with the store. */
  async readFresh<T extends ApiObject>(resource: Resource<T>, namespace: string, name: string): Promise<T | undefined> {
    const known = this.read(resource, namespace, name);
    if (known !== undefined) {
      return known;
    }
    await this.#watchCache.fresh(FRESH_MS_MAX);
    return this.read(resource, namespace, name);
  }

  *all<T extends ApiObject>(resource: Resource<T>, namespace?: string): Generator<T> {
    for (const entry of this.cacheOf(resource).entries(namespace)) {
      yield entry.object() as T;
    }
  }

  onChange(resource: GroupResource, listener: (event: ChangeEvent) => void): void {
    this.cacheOf(resource).onChange(listener);
  }
}

function key(resource: GroupResource): string {
  return `${resource.group}/${resource.resource}`;
}
