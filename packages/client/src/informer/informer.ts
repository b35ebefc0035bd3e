import { type ApiObject, objectKey } from '@wherry/api';
import { Indexer, type IndexFunction } from './indexer.ts';

export interface Change<T> {
  readonly kind: 'added' | 'updated' | 'deleted';
  readonly key: string;
  /** The object now, or its last known state when deleted. */
  readonly object: T;
  readonly previous: T | undefined;
}

/** What a component knows of one resource: a cache that follows the API server. Objects are shared; never change one. */
export interface Informer<T extends ApiObject> {
  get(key: string): T | undefined;
  list(): T[];
  byIndex(name: string, value: string): T[];
  readonly size: number;
  /**
   * Calls back for every object known already (as added) and every later change, in the server's order. Changes seen
   * while the watch was broken arrive merged: only the last state of an object is sure to be seen.
   * @returns stops calling back
   */
  onChange(handler: (change: Change<T>) => void): () => void;
  /** Calls back whenever `resourceVersion` has moved, bookmarks included. */
  onProgress(handler: () => void): () => void;
  readonly hasSynced: boolean;
  /** Resolves once the first complete list is in the cache. */
  synced(signal?: AbortSignal): Promise<void>;
  /** The store's revision this cache has reached; 0 before the first list. */
  readonly resourceVersion: bigint;
}

/** The cache behind an informer; its reflector feeds it. */
export class InformerCache<T extends ApiObject> implements Informer<T> {
  readonly #objects: Indexer<T>;
  readonly #project: (object: T) => T;
  readonly #changeHandlers = new Set<(change: Change<T>) => void>();
  readonly #progressHandlers = new Set<() => void>();
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;
  #resourceVersion = 0n;

  constructor(indexers: Readonly<Record<string, IndexFunction<T>>>, project: (object: T) => T) {
    this.#objects = new Indexer(indexers);
    this.#project = project;
  }

  get size(): number {
    return this.#objects.size;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get resourceVersion(): bigint {
    return this.#resourceVersion;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  byIndex(name: string, value: string): T[] {
    return this.#objects.byIndex(name, value);
  }

  onChange(handler: (change: Change<T>) => void): () => void {
    this.#changeHandlers.add(handler);
    for (const [key, object] of [...this.#objects.keys()].map((key) => [key, this.#objects.get(key)] as const)) {
      if (object !== undefined) handler({ kind: 'added', key, object, previous: undefined });
    }
    return () => void this.#changeHandlers.delete(handler);
  }

  onProgress(handler: () => void): () => void {
    this.#progressHandlers.add(handler);
    return () => void this.#progressHandlers.delete(handler);
  }

  async synced(signal?: AbortSignal): Promise<void> {
    if (this.#hasSynced) return;
    if (signal === undefined) return this.#synced.promise;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#synced.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Makes the cache equal to a complete list. */
  replace(items: readonly T[], resourceVersion: string): void {
    const listed = new Set<string>();
    for (const item of items) {
      const key = objectKey(item);
      listed.add(key);
      const known = this.#objects.get(key);
      if (known === undefined || known.metadata?.resourceVersion !== item.metadata?.resourceVersion) this.upsert(item);
    }
    for (const key of [...this.#objects.keys()]) if (!listed.has(key)) this.remove(key);
    this.progress(resourceVersion);
    if (!this.#hasSynced) {
      this.#hasSynced = true;
      this.#synced.resolve();
    }
  }

  upsert(object: T): void {
    const projected = this.#project(object);
    const key = objectKey(projected);
    const previous = this.#objects.get(key);
    this.#objects.set(key, projected);
    // A new uid under an old name: consumers must see the old object end before the new one begins.
    if (previous !== undefined && previous.metadata?.uid !== projected.metadata?.uid) {
      this.#notify({ kind: 'deleted', key, object: previous, previous });
      this.#notify({ kind: 'added', key, object: projected, previous: undefined });
      return;
    }
    this.#notify({ kind: previous === undefined ? 'added' : 'updated', key, object: projected, previous });
  }

  /** @param last the object's final state, when the server told it */
  remove(key: string, last?: T): void {
    const previous = this.#objects.delete(key);
    if (previous === undefined) return;
    this.#notify({ kind: 'deleted', key, object: last === undefined ? previous : this.#project(last), previous });
  }

  progress(resourceVersion: string | undefined): void {
    if (resourceVersion === undefined || resourceVersion === '') return;
    const reached = BigInt(resourceVersion);
    if (reached <= this.#resourceVersion) return;
    this.#resourceVersion = reached;
    for (const handler of this.#progressHandlers) handler();
  }

  #notify(change: Change<T>): void {
    for (const handler of this.#changeHandlers) handler(change);
  }
}

/** Drops what no component reads and much memory holds: who set which field. */
export function withoutManagedFields<T extends ApiObject>(object: T): T {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
