import type { ApiObject } from '@wherry/api';
import type { StorageEvent, StoredValue } from '../storage/port.ts';
import { type Encoding, withRevision } from './encoding.ts';
import { type Attributes, Entry } from './entry.ts';
import { ChangeEvent } from './event.ts';
import { History } from './history.ts';
import { ProtobufMessages } from './protobuf-messages.ts';
import { SortedEntries } from './sorted-entries.ts';

export interface CachedResource {
  /** With a slash at the end: `/registry/pods/`. */
  readonly prefix: string;
  readonly namespaced: boolean;
  readonly encoding: Encoding;
  attributesOf(object: ApiObject): Attributes;
}

/** A write of this process on its way through the store; saves decoding what we have just encoded. */
export interface Offer {
  readonly key: string;
  readonly stored: Buffer;
  readonly object: ApiObject;
  made: Entry | undefined;
}

/** A watcher as its cache sees it: something to wake when there is more history. */
export interface Follower {
  advance(): void;
  /** The cache starts over; what this follower saw no longer joins what comes. */
  cutOff(): void;
}

/** Everything this server knows of one resource: the present objects, the recent past, and who watches. */
export class ResourceCache {
  readonly resource: CachedResource;
  readonly protobuf: ProtobufMessages;
  history: History;
  readonly followers = new Set<Follower>();
  readonly #namespaces = new Map<string, SortedEntries>();
  readonly #offers = new Map<string, Offer>();
  readonly #listeners: ((event: ChangeEvent) => void)[] = [];
  #namespaceOrder: readonly string[] | undefined;
  #count = 0;
  #changedAt = 0;

  /** @param protobuf shared by all caches of a server */
  constructor(resource: CachedResource, protobuf = new ProtobufMessages()) {
    this.resource = resource;
    this.protobuf = protobuf;
    this.history = new History(0);
  }

  get count(): number {
    return this.#count;
  }

  /** Revision of the newest change. */
  get changedAt(): number {
    return this.#changedAt;
  }

  get(namespace: string, name: string): Entry | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  /** All entries (of one namespace), in key order, in arrays that will never change. */
  snapshot(namespace: string | undefined): readonly (readonly Entry[])[] {
    if (namespace !== undefined) {
      const entries = this.#namespaces.get(namespace);
      return entries === undefined ? [] : [entries.lend()];
    }
    this.#namespaceOrder ??= [...this.#namespaces.keys()].sort((left, right) => (`${left}/` < `${right}/` ? -1 : 1));
    return this.#namespaceOrder.map((name) => this.#namespaces.get(name)?.lend() ?? []);
  }

  *entries(namespace?: string): Generator<Entry> {
    for (const part of this.snapshot(namespace)) {
      yield* part;
    }
  }

  /** Called after each change, and once for all objects at start; must not throw. */
  onChange(listener: (event: ChangeEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** Starts over from a listing at `revision`. */
  reset(items: readonly StoredValue[], revision: number): void {
    for (const follower of [...this.followers]) {
      follower.cutOff();
    }
    const gone = [...this.entries()];
    for (const entry of gone) {
      this.protobuf.forget(entry);
    }
    this.#namespaces.clear();
    this.#namespaceOrder = undefined;
    this.#count = 0;
    this.#changedAt = revision;
    this.history = new History(revision);
    for (const item of items) {
      const entry = this.#makeEntry(item.key, item.value, item.revision);
      this.#store(entry);
      this.#tell(new ChangeEvent(item.revision, entry, undefined, this.resource.encoding));
    }
    for (const entry of gone) {
      if (this.get(entry.namespace, entry.name) === undefined) {
        this.#tell(new ChangeEvent(revision, undefined, entry, this.resource.encoding));
      }
    }
  }

  apply(event: StorageEvent): void {
    const { namespace, name } = this.#split(event.key);
    let change: ChangeEvent;
    if (event.kind === 'delete') {
      const previous = this.#remove(namespace, name);
      if (previous === undefined) {
        return;
      }
      change = new ChangeEvent(event.revision, undefined, previous, this.resource.encoding);
    } else {
      const entry = this.#makeEntry(event.key, event.value, event.revision);
      change = new ChangeEvent(event.revision, entry, this.#store(entry), this.resource.encoding);
    }
    this.#changedAt = event.revision;
    this.history.append(change);
    this.#tell(change);
  }

  /** Announces a write; `made` of the result is filled by whoever sees the new revision first. */
  offer(key: string, stored: Buffer, object: ApiObject): Offer {
    const offer: Offer = { key, stored, object, made: undefined };
    this.#offers.set(key, offer);
    return offer;
  }

  /** The write did not happen. */
  withdraw(offer: Offer): void {
    if (this.#offers.get(offer.key) === offer) {
      this.#offers.delete(offer.key);
    }
  }

  /** The entry of a write that the store acknowledged. */
  accept(offer: Offer, revision: number): Entry {
    offer.made ??= this.#build(offer.key, offer.stored, revision, offer.object);
    return offer.made;
  }

  /** An entry of bytes that came from the store otherwise: an old revision, or one newer than the cache. */
  decode(item: StoredValue): Entry {
    return this.#build(item.key, item.value, item.revision, JSON.parse(item.value.toString()) as ApiObject);
  }

  key(namespace: string, name: string): string {
    return this.resource.namespaced ? `${this.resource.prefix}${namespace}/${name}` : `${this.resource.prefix}${name}`;
  }

  #makeEntry(key: string, stored: Buffer, revision: number): Entry {
    const offer = this.#offers.get(key);
    if (offer?.stored.equals(stored)) {
      this.#offers.delete(key);
      return this.accept(offer, revision);
    }
    return this.#build(key, stored, revision, JSON.parse(stored.toString()) as ApiObject);
  }

  #build(key: string, stored: Buffer, revision: number, object: ApiObject): Entry {
    const { encoding } = this.resource;
    const served: ApiObject = {
      kind: encoding.kind,
      apiVersion: encoding.apiVersion,
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(revision) },
    };
    const bytes = withRevision(encoding, stored, revision);
    return new Entry({ key, ...this.#split(key) }, revision, bytes, served, this.resource.attributesOf(served));
  }

  #split(key: string): { namespace: string; name: string } {
    const rest = key.slice(this.resource.prefix.length);
    const slash = rest.indexOf('/');
    return slash === -1
      ? { namespace: '', name: rest }
      : { namespace: rest.slice(0, slash), name: rest.slice(slash + 1) };
  }

  #store(entry: Entry): Entry | undefined {
    let entries = this.#namespaces.get(entry.namespace);
    if (entries === undefined) {
      entries = new SortedEntries();
      this.#namespaces.set(entry.namespace, entries);
      this.#namespaceOrder = undefined;
    }
    const previous = entries.set(entry);
    this.#count += previous === undefined ? 1 : 0;
    return this.#replaced(previous);
  }

  #remove(namespace: string, name: string): Entry | undefined {
    const entries = this.#namespaces.get(namespace);
    const previous = entries?.delete(name);
    this.#count -= previous === undefined ? 0 : 1;
    if (entries?.size === 0) {
      this.#namespaces.delete(namespace);
      this.#namespaceOrder = undefined;
    }
    return this.#replaced(previous);
  }

  #replaced(previous: Entry | undefined): Entry | undefined {
    if (previous !== undefined) {
      this.protobuf.forget(previous);
    }
    return previous;
  }

  #tell(event: ChangeEvent): void {
    for (const listener of this.#listeners) {
      listener(event);
    }
  }
}
