import type { ByteString } from '../schema/keys.ts';
import type { KeyEntry } from './key-index.ts';
import type { Mvcc } from './mvcc.ts';
import type { Version } from './version.ts';

/**
 * All that is kept of the state as of now, in order of revision, as etcd's backend holds it: every change after the
 * compacted revision, and of older ones what each key was at it. Only references are taken, in slices; bytes stay
 * where they are and live as long as their versions.
 */
export class RevisionWalk {
  readonly revision: number;
  readonly compactRevision: number;
  readonly #mvcc: Mvcc;
  readonly #release: () => void;
  /** Sorted runs of what a compaction has left over, one for each slice. */
  readonly #old: Version[][] = [];
  readonly #recent: Version[] = [];
  #cursor: ByteString | undefined = '';

  constructor(mvcc: Mvcc) {
    this.#mvcc = mvcc;
    this.revision = mvcc.revision;
    this.compactRevision = mvcc.compactRevision;
    this.#release = mvcc.hold();
    if (mvcc.compactRevision === 0) this.#cursor = undefined;
  }

  /** Looks at up to `countMax` keys or changes. Call until it returns true: then all is gathered, and history let go. */
  collect(countMax: number): boolean {
    if (this.#cursor !== undefined) {
      this.#collectOld(this.#cursor, countMax);
      return false;
    }
    const { history } = this.#mvcc;
    // Positions hold: nothing is dropped from the front meanwhile.
    const next = history.positionOf(this.compactRevision + 1) + this.#recent.length;
    for (let at = next; at < next + countMax; at++) {
      const change = history.at(at);
      if (change === undefined || change.modRevision > this.revision) {
        this.#release();
        return true;
      }
      this.#recent.push(change);
    }
    return false;
  }

  /** Lets history go when the walk is given up. */
  close(): void {
    this.#release();
  }

  /** What was gathered, oldest first. May be walked more than once. */
  *versions(): Generator<Version> {
    yield* merge(this.#old);
    yield* this.#recent;
  }

  #collectOld(start: ByteString, keysMax: number): void {
    const run: Version[] = [];
    let seen = 0;
    this.#cursor = undefined;
    this.#mvcc.index.walk(start, undefined, (entry) => {
      if (seen++ >= keysMax) {
        this.#cursor = entry.key;
        return false;
      }
      const kept = this.#atCompaction(entry);
      if (kept !== undefined) run.push(kept);
      return true;
    });
    if (run.length > 0) this.#old.push(run.sort(byRevision));
  }

  /** A tombstone of the compacted revision itself is still history: a watch may start there. */
  #atCompaction(entry: KeyEntry): Version | undefined {
    let version = entry.head;
    while (version !== undefined && version.modRevision > this.compactRevision) version = version.previous;
    return version?.deleted === true && version.modRevision < this.compactRevision ? undefined : version;
  }
}

function byRevision(a: Version, b: Version): number {
  return a.modRevision - b.modRevision || a.sub - b.sub;
}

/** Joins sorted runs with a heap of their first elements, one element at a time. */
function* merge(runs: readonly (readonly Version[])[]): Generator<Version> {
  const heap = runs.map((run) => ({ run, at: 0, first: run[0] as Version }));
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) sink(heap, i);
  for (;;) {
    const top = heap[0];
    if (top === undefined) return;
    yield top.first;
    const next = top.run[++top.at];
    const last = next === undefined ? heap.pop() : undefined;
    if (next !== undefined) top.first = next;
    else if (heap.length > 0 && last !== undefined) heap[0] = last;
    sink(heap, 0);
  }
}

function sink(heap: { readonly first: Version }[], from: number): void {
  for (let i = from; ; ) {
    let least = i;
    for (const child of [2 * i + 1, 2 * i + 2]) {
      const candidate = heap[child];
      if (candidate !== undefined && byRevision(candidate.first, (heap[least] as { first: Version }).first) < 0) {
        least = child;
      }
    }
    if (least === i) return;
    const moved = heap[i] as { first: Version };
    heap[i] = heap[least] as { first: Version };
    heap[least] = moved;
    i = least;
  }
}
