import type { ByteString } from '../schema/keys.ts';
import type { LeaseId, Revision } from '../schema/messages.ts';
import { History } from './history.ts';
import { type KeyEntry, KeyIndex } from './key-index.ts';
import { LeaseBook } from './lease-book.ts';
import type { Refusal } from './refusal.ts';
import { type Place, Slabs } from './slabs.ts';
import { Version } from './version.ts';
import { WatchHub } from './watch-hub.ts';

const NO_LEASE = 0 as LeaseId;
const FIRST_REVISION = 1 as Revision;
const EMPTY = Buffer.alloc(0);

/**
 * The replicated state: keys with their history, leases, watches. Deterministic: the same calls in the same order
 * give the same state on every member. Reading is in `range.ts`, changing in `txn.ts`; both work on the parts here.
 */
export class Mvcc {
  readonly index = new KeyIndex();
  readonly leases = new LeaseBook();
  readonly history = new History();
  readonly watches: WatchHub = new WatchHub(this);
  readonly #slabs = new Slabs();
  #revision: Revision = FIRST_REVISION;
  #compactRevision = 0;
  #sizeBytes = 0;
  /** Changes at the front of `history` whose predecessors are cut off already. */
  #cut = 0;
  #changes: Version[] = [];
  /** Readers of history that must not lose any of it under way. */
  #holds = 0;
  /** Where `defragment` goes on. */
  #cursor: ByteString = '';

  /** Revision of the newest change set. */
  get revision(): Revision {
    return this.#revision;
  }

  /** The oldest revision that can be read, 0 if nothing was ever compacted. */
  get compactRevision(): number {
    return this.#compactRevision;
  }

  /** Bytes held by keys, values and history: what the quota limits. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Revision that changes made now belong to. */
  get nextRevision(): Revision {
    return (this.#revision + 1) as Revision;
  }

  /** True while a change set is open and has changed something. */
  get changed(): boolean {
    return this.#changes.length > 0;
  }

  put(key: ByteString, value: Uint8Array, lease: LeaseId): Version {
    const entry = this.index.ensure(key);
    const previous = entry.head;
    const alive = previous?.deleted === false ? previous : undefined;
    const made = {
      createRevision: alive?.createRevision ?? this.nextRevision,
      version: (alive?.version ?? 0) + 1,
      lease,
    };
    if (alive === undefined) entry.chunk.live++;
    this.leases.move(entry, alive?.lease ?? NO_LEASE, lease);
    return this.#change(entry, made, this.#slabs.add(value), previous);
  }

  /** Writes a tombstone over a key that exists. */
  delete(entry: KeyEntry): Version {
    const previous = entry.head;
    entry.chunk.live--;
    this.leases.move(entry, previous?.lease ?? NO_LEASE, NO_LEASE);
    const made = { createRevision: 0 as Revision, version: 0, lease: NO_LEASE };
    return this.#change(entry, made, this.#slabs.add(EMPTY), previous);
  }

  /** Closes the change set: its changes become one revision, and watches learn of it. Returns the newest revision. */
  commit(): Revision {
    if (this.#changes.length > 0) {
      this.#revision = this.nextRevision;
      this.watches.commit(this.#changes);
      this.#changes = [];
    }
    return this.#revision;
  }

  /** Forgets history below `revision`; the work itself is done in slices by `prune`. */
  compact(revision: number): Refusal | undefined {
    if (revision <= this.#compactRevision) {
      return { refused: 'compacted', compactRevision: this.#compactRevision };
    }
    if (revision > this.#revision) return { refused: 'futureRevision' };
    this.#compactRevision = revision;
    return undefined;
  }

  /**
   * Does up to `stepsMax` steps of the compaction that is due. A change at or below the compacted revision hides its
   * predecessor for good, so each step is one cut. While somebody holds history, it waits.
   * @returns true when nothing is left to do
   */
  prune(stepsMax: number): boolean {
    if (this.#holds > 0) return true;
    for (let step = 0; step < stepsMax; step++) {
      const change = this.history.at(this.#cut);
      if (change === undefined || change.modRevision > this.#compactRevision) {
        this.#dropHistory();
        return true;
      }
      this.#cut++;
      if (change.previous !== undefined) this.#release(change.previous);
      change.previous = undefined;
    }
    this.#dropHistory();
    return false;
  }

  /** Keeps `prune` from cutting anything until the returned function is called. */
  hold(): () => void {
    let held = true;
    this.#holds++;
    return () => {
      if (held) this.#holds--;
      held = false;
    };
  }

  /**
   * Moves values out of slabs that are nearly dead, so that these can be freed. Looks at up to `keysMax` keys from
   * where the last call stopped.
   * @returns true when it has come to the last key
   */
  defragment(keysMax: number): boolean {
    let seen = 0;
    let next: ByteString = '';
    this.index.walk(this.#cursor, undefined, (entry) => {
      if (seen++ >= keysMax) {
        next = entry.key;
        return false;
      }
      for (let version = entry.head; version !== undefined; version = version.previous) {
        if (!this.#slabs.isSparse(version.slab)) continue;
        const place = this.#slabs.add(version.value);
        this.#slabs.release(version);
        version.slab = place.slab;
        version.offset = place.offset;
      }
      return true;
    });
    this.#cursor = next;
    return next === '';
  }

  /** Puts back a version read from a snapshot; keys in order, versions of a key oldest first. */
  restoreVersion(
    key: ByteString,
    at: { readonly modRevision: Revision; readonly sub: number },
    made: { readonly createRevision: Revision; readonly version: number; readonly lease: LeaseId },
    value: Uint8Array,
  ): Version {
    const entry = this.index.ensure(key);
    const wasAlive = entry.head?.deleted === false;
    const version = new Version(entry, at, made, this.#slabs.add(value), entry.head);
    entry.head = version;
    entry.chunk.live += Number(!version.deleted) - Number(wasAlive);
    entry.chunk.maxRevision = Math.max(entry.chunk.maxRevision, at.modRevision);
    this.#sizeBytes += version.sizeBytes;
    return version;
  }

  /** Ends a restore: the counters, and the changes that are still history. */
  restoreState(revision: Revision, compactRevision: number, versions: Version[]): void {
    this.#revision = revision;
    this.#compactRevision = compactRevision;
    versions.sort((a, b) => a.modRevision - b.modRevision || a.sub - b.sub);
    for (const version of versions) this.history.push(version);
  }

  #change(
    entry: KeyEntry,
    made: { readonly createRevision: Revision; readonly version: number; readonly lease: LeaseId },
    place: Place,
    previous: Version | undefined,
  ): Version {
    const at = { modRevision: this.nextRevision, sub: this.#changes.length };
    const version = new Version(entry, at, made, place, previous);
    entry.head = version;
    entry.chunk.maxRevision = at.modRevision;
    this.#sizeBytes += version.sizeBytes;
    this.#changes.push(version);
    this.history.push(version);
    return version;
  }

  #release(version: Version): void {
    this.#sizeBytes -= version.sizeBytes;
    this.#slabs.release(version);
  }

  /** Changes of the compacted revision itself stay, tombstones too: a watch may start there. */
  #dropHistory(): void {
    const gone = Math.min(this.history.positionOf(this.#compactRevision), this.#cut);
    for (let position = 0; position < gone; position++) {
      const change = this.history.at(position);
      if (change?.deleted !== true || change.entry.head !== change) continue;
      this.index.remove(change.entry);
      this.#sizeBytes -= change.sizeBytes;
    }
    this.history.drop(gone);
    this.#cut -= gone;
  }
}
