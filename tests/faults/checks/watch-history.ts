import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiObject, type Resource, StatusError } from '@wherry/api';
import type { ApiClient, WatchEvent } from '@wherry/client';

/** One event of a watch, as it came. */
export interface Seen<T> {
  readonly type: WatchEvent<T>['type'];
  readonly revision: bigint;
  readonly key: string;
  readonly object: T;
  readonly atMs: number;
}

const RETRY_MS = 100;

/** One watcher's whole history of a resource, resumed from its last revision whenever the stream breaks. */
export class WatchHistory<T extends ApiObject> {
  readonly events: Seen<T>[] = [];
  /** How often the stream broke and was resumed. */
  resumed = 0;
  readonly problems: string[] = [];
  readonly name: string;
  readonly #client: ApiClient;
  readonly #resource: Resource<T>;
  readonly #stop = new AbortController();
  #revision = 0n;
  #firstRevision = 0n;
  #done: Promise<void> | undefined;

  /** @param name in reports, for example the server that is asked */
  constructor(name: string, client: ApiClient, resource: Resource<T>) {
    this.name = name;
    this.#client = client;
    this.#resource = resource;
  }

  /** Revision up to which this watcher has seen everything. */
  get revision(): bigint {
    return this.#revision;
  }

  /** Revision of the list that it began with. */
  get firstRevision(): bigint {
    return this.#firstRevision;
  }

  async start(): Promise<void> {
    const { items, metadata } = await this.#client.list(this.#resource);
    this.#revision = BigInt(metadata?.resourceVersion ?? '0');
    this.#firstRevision = this.#revision;
    for (const object of items) this.#keep('ADDED', object, BigInt(object.metadata?.resourceVersion ?? '0'));
    this.#done = this.#follow();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const events = this.#client.watch(this.#resource, {
          resourceVersion: String(this.#revision),
          allowWatchBookmarks: true,
          signal: this.#stop.signal,
        });
        for await (const { type, object } of events) this.#take(type, object);
      } catch (error) {
        if (error instanceof StatusError && error.code === 410)
          this.problems.push(`${this.name}: ${this.#resource.resource} expired at ${this.#revision}: ${error.message}`);
      }
      this.resumed += 1;
      await sleep(RETRY_MS);
    }
  }

  #take(type: WatchEvent<T>['type'], object: T): void {
    const revision = BigInt(object.metadata?.resourceVersion ?? '0');
    if (revision < this.#revision || (type !== 'BOOKMARK' && revision === this.#revision))
      this.problems.push(`${this.name}: ${type} at ${revision} came after ${this.#revision}`);
    this.#revision = revision;
    if (type !== 'BOOKMARK') this.#keep(type, object, revision);
  }

  #keep(type: WatchEvent<T>['type'], object: T, revision: bigint): void {
    const { namespace = '', name = '' } = object.metadata ?? {};
    this.events.push({ type, revision, key: `${namespace}/${name}`, object, atMs: Date.now() });
  }
}

/** What two watchers of the same resource saw differently, in the span that both have seen. */
export function differences<T extends ApiObject>(one: WatchHistory<T>, other: WatchHistory<T>): readonly string[] {
  const from = one.firstRevision > other.firstRevision ? one.firstRevision : other.firstRevision;
  const to = one.revision < other.revision ? one.revision : other.revision;
  const told = (history: WatchHistory<T>): readonly string[] =>
    history.events
      .filter(({ revision }) => revision > from && revision <= to)
      .map(({ type, revision, key }) => `${type} ${key} at ${revision}`);
  const [first, second] = [told(one), told(other)];
  const at = first.findIndex((line, index) => line !== second[index]);
  if (at === -1 && first.length === second.length) return [];
  const where = at === -1 ? first.length : at;
  return [
    `${one.name} and ${other.name} differ: "${first[where] ?? 'nothing'}" against "${second[where] ?? 'nothing'}"`,
  ];
}
