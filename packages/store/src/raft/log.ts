import type { Entry, HardState, LogIndex, Persisted, SnapshotMeta, Term } from './types.ts';

/**
 * The log in memory: everything since (a little before) the last snapshot. Knows what is committed, what is durable
 * here and what was handed out for applying; always `applied ≤ min(committed, persisted)`.
 */
export class RaftLog {
  #entries: Entry[] = [];
  /** Where the configuration entries are, in order: there are few of them. */
  #configurations: LogIndex[] = [];
  /** Index and term of the entry before the first one kept. */
  #baseIndex: LogIndex;
  #baseTerm: Term;
  snapshot: SnapshotMeta;
  committed: LogIndex;
  persisted: LogIndex;
  applied: LogIndex;
  /** First entry not handed out for persisting yet. */
  unstableFrom: LogIndex;

  constructor(persisted: Persisted) {
    const { snapshot, hardState } = persisted;
    this.snapshot = snapshot;
    this.#baseIndex = snapshot.index;
    this.#baseTerm = snapshot.term;
    for (const entry of persisted.entries) {
      if (entry.index <= snapshot.index) continue;
      assert(entry.index === this.lastIndex + 1, `Log has a gap before index ${entry.index}`);
      this.#push(entry);
    }
    assert(hardState.commit <= this.lastIndex, `Commit ${hardState.commit} is beyond the log's end ${this.lastIndex}`);
    this.committed = Math.max(hardState.commit, snapshot.index) as LogIndex;
    this.applied = snapshot.index;
    this.persisted = this.lastIndex;
    this.unstableFrom = next(this.lastIndex);
  }

  get firstIndex(): LogIndex {
    return next(this.#baseIndex);
  }

  get lastIndex(): LogIndex {
    return (this.#baseIndex + this.#entries.length) as LogIndex;
  }

  get lastTerm(): Term {
    return this.#entries.at(-1)?.term ?? this.#baseTerm;
  }

  /** Term of an entry; undefined if it is compacted away or does not exist. */
  termAt(index: number): Term | undefined {
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.#entries[index - this.#baseIndex - 1]?.term;
  }

  matches(index: LogIndex, term: Term): boolean {
    return this.termAt(index) === term;
  }

  /** Raft §5.4.1: whether a log that ends like this is at least as up to date as ours. */
  isUpToDate(lastIndex: LogIndex, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  /** Entries from `from` on, at most `bytesMax` of data but at least one. */
  slice(from: LogIndex, to: LogIndex, bytesMax: number): Entry[] {
    const result: Entry[] = [];
    let sizeBytes = 0;
    for (let i = from - this.#baseIndex - 1; i < to - this.#baseIndex; i++) {
      const entry = this.#entries[i];
      if (entry === undefined) break;
      sizeBytes += entry.data.length;
      if (result.length > 0 && sizeBytes > bytesMax) break;
      result.push(entry);
    }
    return result;
  }

  append(term: Term, data: readonly Buffer[], kind?: 'configuration'): void {
    for (const each of data) {
      const entry = { index: next(this.lastIndex), term, data: each };
      this.#push(kind === undefined ? entry : { ...entry, kind });
    }
  }

  /** Whether there is a configuration entry from `from` to `to`, both included. */
  hasConfiguration(from: number, to: number): boolean {
    return this.#configurations.some((index) => index >= from && index <= to);
  }

  /** Takes over a leader's entries that follow a matching one; only a real conflict cuts ours off. */
  merge(entries: readonly Entry[]): void {
    for (const [i, entry] of entries.entries()) {
      if (this.matches(entry.index, entry.term)) continue;
      if (entry.index <= this.lastIndex) this.#truncate(entry.index);
      for (let rest = i; rest < entries.length; rest++) this.#push(entries[rest] as Entry);
      return;
    }
  }

  /**
   * Highest index ≤ `index` whose term is ≤ `term`: the two logs cannot agree above it (etcd's findConflictByTerm).
   * Also gives the term there, 0 if it is compacted away.
   */
  agreeAtMost(index: number, term: number): { readonly index: LogIndex; readonly term: Term } {
    for (let i = index; i > 0; i--) {
      const ours = this.termAt(i);
      if (ours === undefined || ours <= term) return { index: i as LogIndex, term: (ours ?? 0) as Term };
    }
    return { index: 0 as LogIndex, term: 0 as Term };
  }

  commitTo(index: LogIndex): boolean {
    if (index <= this.committed) return false;
    assert(index <= this.lastIndex, `Cannot commit ${index}: the log ends at ${this.lastIndex}`);
    this.committed = index;
    return true;
  }

  takeUnstable(): Entry[] {
    const entries = this.slice(this.unstableFrom, this.lastIndex, Number.POSITIVE_INFINITY);
    this.unstableFrom = next(this.lastIndex);
    return entries;
  }

  /**
   * Up to and including the first configuration entry; that one only if the commit index that covers it is durable,
   * or after a crash we would count with a configuration of the past.
   */
  takeApplicable(bytesMax: number, durableCommit: LogIndex): Entry[] {
    const to = this.applicableTo(durableCommit);
    if (to <= this.applied) return [];
    const entries = this.slice(next(this.applied), to, bytesMax);
    this.applied = (this.applied + entries.length) as LogIndex;
    return entries;
  }

  applicableTo(durableCommit: LogIndex): LogIndex {
    const to = Math.min(this.committed, this.persisted);
    const first = this.#configurations.find((index) => index > this.applied);
    if (first === undefined || first > to) return to as LogIndex;
    return (durableCommit >= first ? first : first - 1) as LogIndex;
  }

  /** A write that ended with this entry is durable; it may have been overwritten by a newer leader since. */
  persistedTo(index: LogIndex, term: Term): void {
    if (index > this.persisted && this.matches(index, term)) this.persisted = index;
  }

  /** Starts over from a leader's snapshot. */
  reset(snapshot: SnapshotMeta): void {
    this.#entries = [];
    this.#configurations = [];
    this.#baseIndex = snapshot.index;
    this.#baseTerm = snapshot.term;
    this.snapshot = snapshot;
    this.committed = snapshot.index;
    this.persisted = snapshot.index;
    this.applied = snapshot.index;
    this.unstableFrom = next(snapshot.index);
  }

  /** A snapshot of our own exists: forget entries below `keepFrom`, which may lag for slow followers. */
  compact(snapshot: SnapshotMeta, keepFrom: LogIndex): void {
    assert(snapshot.index <= this.applied, `Snapshot at ${snapshot.index} is ahead of what is applied`);
    if (snapshot.index > this.snapshot.index) this.snapshot = snapshot;
    const newBase = Math.min(keepFrom - 1, this.snapshot.index);
    if (newBase <= this.#baseIndex) return;
    this.#baseTerm = this.termAt(newBase) as Term;
    this.#entries = this.#entries.slice(newBase - this.#baseIndex);
    this.#baseIndex = newBase as LogIndex;
    this.#configurations = this.#configurations.filter((index) => index > newBase);
  }

  hardState(term: Term, vote: HardState['vote']): HardState {
    return { term, vote, commit: this.committed };
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    if (entry.kind === 'configuration') this.#configurations.push(entry.index);
  }

  #truncate(from: LogIndex): void {
    assert(from > this.committed, `Cannot overwrite index ${from}: committed up to ${this.committed}`);
    this.#entries.length = from - this.#baseIndex - 1;
    this.#configurations = this.#configurations.filter((index) => index < from);
    this.persisted = Math.min(this.persisted, from - 1) as LogIndex;
    this.unstableFrom = Math.min(this.unstableFrom, from) as LogIndex;
  }
}

export function next(index: LogIndex): LogIndex {
  return (index + 1) as LogIndex;
}

/** Broken invariants stop the member: durable state plus a restart is safer than going on. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Raft invariant broken: ${message}`);
}
