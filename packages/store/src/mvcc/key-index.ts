import type { ByteString } from '../schema/keys.ts';
import type { Version } from './version.ts';

/** Keys per chunk before it is split in two. */
const CHUNK_KEYS_MAX = 256;

/** A key that exists, or existed after the last compaction. */
export interface KeyEntry {
  readonly key: ByteString;
  /** Newest version, perhaps a tombstone; undefined only while the key is being written for the first time. */
  head: Version | undefined;
  chunk: Chunk;
}

/** A run of neighbouring keys, with what is needed to count them without looking at each. */
export interface Chunk {
  readonly entries: KeyEntry[];
  /** Entries whose head is not a tombstone. */
  live: number;
  /** Highest modRevision of any change among these keys. */
  maxRevision: number;
}

/**
 * All keys in byte order: a hash map to find one, sorted chunks to walk many. Inserting moves at most one chunk's
 * worth of pointers; finding a place is two binary searches.
 */
export class KeyIndex {
  readonly #byKey = new Map<ByteString, KeyEntry>();
  readonly #chunks: Chunk[] = [];

  get size(): number {
    return this.#byKey.size;
  }

  get(key: ByteString): KeyEntry | undefined {
    return this.#byKey.get(key);
  }

  /** Finds the entry of a key, making it if it does not exist. */
  ensure(key: ByteString): KeyEntry {
    return this.#byKey.get(key) ?? this.#insert(key);
  }

  remove(entry: KeyEntry): void {
    const { chunk } = entry;
    chunk.entries.splice(lowerBound(chunk.entries, entry.key), 1);
    this.#byKey.delete(entry.key);
    if (chunk.entries.length === 0) this.#chunks.splice(this.#chunks.indexOf(chunk), 1);
  }

  /**
   * Calls `visit` for each entry in [start, end) in order until it returns false.
   * @param end exclusive; undefined: to the last key
   */
  walk(start: ByteString, end: ByteString | undefined, visit: (entry: KeyEntry) => boolean): void {
    for (let c = this.#chunkOf(start); c < this.#chunks.length; c++) {
      const { entries } = this.#chunks[c] as Chunk;
      for (let i = firstOf(entries, start); i < entries.length; i++) {
        const entry = entries[i] as KeyEntry;
        if (end !== undefined && entry.key >= end) return;
        if (!visit(entry)) return;
      }
    }
  }

  /** Like `walk` from the last key to the first. */
  walkBack(start: ByteString, end: ByteString | undefined, visit: (entry: KeyEntry) => boolean): void {
    for (let c = end === undefined ? this.#chunks.length - 1 : this.#chunkOf(end); c >= 0; c--) {
      const { entries } = this.#chunks[c] as Chunk;
      for (let i = (end === undefined ? entries.length : lowerBound(entries, end)) - 1; i >= 0; i--) {
        const entry = entries[i] as KeyEntry;
        if (entry.key < start) return;
        if (!visit(entry)) return;
      }
    }
  }

  /**
   * Number of keys in [start, end) at `revision`; whole chunks that have not changed since are added up at once.
   * @param exists tells whether a key existed at the revision
   */
  count(
    start: ByteString,
    end: ByteString | undefined,
    revision: number,
    exists: (entry: KeyEntry) => boolean,
  ): number {
    let count = 0;
    for (let c = this.#chunkOf(start); c < this.#chunks.length; c++) {
      const chunk = this.#chunks[c] as Chunk;
      const { entries } = chunk;
      const from = firstOf(entries, start);
      const to = end === undefined || (entries.at(-1)?.key ?? '') < end ? entries.length : lowerBound(entries, end);
      if (from === 0 && to === entries.length && chunk.maxRevision <= revision) count += chunk.live;
      else for (let i = from; i < to; i++) if (exists(entries[i] as KeyEntry)) count++;
      if (to < entries.length) break;
    }
    return count;
  }

  #insert(key: ByteString): KeyEntry {
    const index = this.#chunkOf(key);
    let chunk = this.#chunks[index];
    if (chunk === undefined) {
      chunk = { entries: [], live: 0, maxRevision: 0 };
      this.#chunks.push(chunk);
    }
    let at = lowerBound(chunk.entries, key);
    if (chunk.entries.length >= CHUNK_KEYS_MAX) {
      const upper = this.#split(index, chunk, at);
      if (at > chunk.entries.length || (at === chunk.entries.length && upper.entries.length === 0)) {
        at -= chunk.entries.length;
        chunk = upper;
      }
    }
    const entry: KeyEntry = { key, head: undefined, chunk };
    chunk.entries.splice(at, 0, entry);
    this.#byKey.set(key, entry);
    return entry;
  }

  /** Splits in the middle, or at the end if that is where the next key goes: ascending keys then fill chunks. */
  #split(index: number, chunk: Chunk, insertAt: number): Chunk {
    const middle = insertAt === chunk.entries.length ? insertAt : chunk.entries.length >> 1;
    const upper: Chunk = { entries: chunk.entries.splice(middle), live: 0, maxRevision: chunk.maxRevision };
    for (const entry of upper.entries) {
      entry.chunk = upper;
      if (entry.head?.deleted === false) upper.live++;
    }
    chunk.live -= upper.live;
    this.#chunks.splice(index + 1, 0, upper);
    return upper;
  }

  /** Index of the chunk that holds `key` or would; 0 if there is none yet. */
  #chunkOf(key: ByteString): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (((this.#chunks[middle] as Chunk).entries[0]?.key ?? '') <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function firstOf(entries: readonly KeyEntry[], start: ByteString): number {
  return (entries[0]?.key ?? '') >= start ? 0 : lowerBound(entries, start);
}

function lowerBound(entries: readonly KeyEntry[], key: ByteString): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] as KeyEntry).key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
