import type { Version } from './version.ts';

/** Dropped entries are kept in place until they are this many, so that dropping stays cheap. */
const TRIM_AT = 4096;

/** Every change since the last compaction in the order it happened: what watches catch up from. */
export class History {
  #changes: Version[] = [];
  #start = 0;

  get length(): number {
    return this.#changes.length - this.#start;
  }

  push(change: Version): void {
    this.#changes.push(change);
  }

  /** The change at a position counted from the oldest one kept. */
  at(position: number): Version | undefined {
    return this.#changes[this.#start + position];
  }

  /** Position of the first change with modRevision ≥ `revision`. */
  positionOf(revision: number): number {
    let low = this.#start;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle] as Version).modRevision < revision) low = middle + 1;
      else high = middle;
    }
    return low - this.#start;
  }

  /** Forgets the `count` oldest changes. */
  drop(count: number): void {
    this.#start += count;
    if (this.#start < TRIM_AT && this.#start < this.#changes.length) return;
    this.#changes = this.#changes.slice(this.#start);
    this.#start = 0;
  }
}
