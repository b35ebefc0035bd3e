import type { ByteString } from '../schema/keys.ts';
import type { KeyValue, Revision, WatchBatch, WatchEvent, WatchRequest } from '../schema/messages.ts';
import type { Mvcc } from './mvcc.ts';
import { type Span, spanHolds, spanOf } from './range.ts';
import type { Refusal } from './refusal.ts';
import type { Version } from './version.ts';

/** Events a watcher may leave untaken before it is sent to catch up from history instead. */
export const WATCHER_PENDING_MAX = 4096;
/** Changes looked at for a watcher that catches up, in one go, so that it does not hold up the others. */
const CATCH_UP_CHANGES_MAX = 2048;
/** Payload after which a batch is closed (at the end of a revision). */
const BATCH_BYTES_MAX = 1 << 20;

/** One watch. `behind`: it reads from history at `nextRevision`; `synced`: each commit reaches it. */
export interface Watcher {
  readonly span: Span;
  readonly prevKv: boolean;
  readonly noPut: boolean;
  readonly noDelete: boolean;
  readonly onReady: () => void;
  state: 'synced' | 'behind' | 'closed';
  /** Nothing before this revision is delivered (again). */
  nextRevision: number;
  /** Synced only: matching changes not taken yet. */
  pending: Version[];
}

/**
 * Delivers changes to watchers. Watchers pull; a watcher that does not is dropped to `behind` and later reads from
 * history, so nobody ever waits for it and its memory is bounded.
 */
export class WatchHub {
  readonly #mvcc: Mvcc;
  readonly #byKey = new Map<ByteString, Set<Watcher>>();
  readonly #ranges = new Set<Watcher>();
  #count = 0;

  constructor(mvcc: Mvcc) {
    this.#mvcc = mvcc;
  }

  get size(): number {
    return this.#count;
  }

  /** @param onReady called, at most once until the next `take`, when there is something to take */
  add(request: WatchRequest, onReady: () => void): Watcher {
    const start = request.startRevision ?? 0;
    const next = this.#mvcc.revision + 1;
    const watcher: Watcher = {
      span: spanOf(request),
      prevKv: request.prevKv === true,
      noPut: request.filters?.includes('noPut') === true,
      noDelete: request.filters?.includes('noDelete') === true,
      onReady,
      state: start === 0 || start >= next ? 'synced' : 'behind',
      nextRevision: start === 0 ? next : start,
      pending: [],
    };
    this.#count++;
    if (watcher.span.single) {
      const watchers = this.#byKey.get(watcher.span.start) ?? new Set();
      this.#byKey.set(watcher.span.start, watchers.add(watcher));
    } else this.#ranges.add(watcher);
    return watcher;
  }

  remove(watcher: Watcher): void {
    if (watcher.state === 'closed') return;
    watcher.state = 'closed';
    watcher.pending = [];
    this.#count--;
    this.#ranges.delete(watcher);
    const watchers = this.#byKey.get(watcher.span.start);
    if (watcher.span.single && watchers?.delete(watcher) === true && watchers.size === 0) {
      this.#byKey.delete(watcher.span.start);
    }
  }

  /** Tells synced watchers of a change set. */
  commit(changes: readonly Version[]): void {
    for (const change of changes) {
      const { key } = change.entry;
      const exact = this.#byKey.get(key);
      if (exact !== undefined) for (const watcher of exact) this.#offer(watcher, change);
      for (const watcher of this.#ranges) if (spanHolds(watcher.span, key)) this.#offer(watcher, change);
    }
  }

  /**
   * The next events of a watcher, whole revisions. `undefined`: nothing new, and everything up to the store's
   * revision has been delivered. An empty batch from a watcher that is behind means: ask again.
   */
  take(watcher: Watcher): WatchBatch | Refusal | undefined {
    if (watcher.state === 'closed') return undefined;
    if (watcher.state === 'behind') return this.#catchUp(watcher);
    if (watcher.pending.length === 0) return undefined;
    const changes = watcher.pending;
    watcher.pending = [];
    const { revision } = this.#mvcc;
    watcher.nextRevision = revision + 1;
    return batch(revision, changes, watcher.prevKv);
  }

  /**
   * Moves all watchers to the hub of a state that replaces this one (a snapshot from the leader): each goes on from
   * its history, or learns that it is compacted.
   */
  moveTo(successor: WatchHub): void {
    for (const watcher of this.watchers) this.#fallBehind(watcher);
    successor.#count = this.#count;
    for (const watcher of this.#ranges) successor.#ranges.add(watcher);
    for (const [key, watchers] of this.#byKey) successor.#byKey.set(key, watchers);
  }

  get watchers(): readonly Watcher[] {
    return [...this.#ranges, ...[...this.#byKey.values()].flatMap((set) => [...set])];
  }

  #offer(watcher: Watcher, change: Version): void {
    if (watcher.state !== 'synced' || change.modRevision < watcher.nextRevision || !passes(watcher, change)) return;
    if (watcher.pending.length >= WATCHER_PENDING_MAX) {
      this.#fallBehind(watcher);
      return;
    }
    watcher.pending.push(change);
    if (watcher.pending.length === 1) watcher.onReady();
  }

  #fallBehind(watcher: Watcher): void {
    if (watcher.state === 'synced') {
      const untaken = watcher.pending[0]?.modRevision ?? this.#mvcc.revision + 1;
      watcher.nextRevision = Math.max(watcher.nextRevision, untaken);
      watcher.state = 'behind';
    }
    watcher.pending = [];
    watcher.onReady();
  }

  #catchUp(watcher: Watcher): WatchBatch | Refusal {
    const { history, revision, compactRevision } = this.#mvcc;
    if (watcher.nextRevision < compactRevision) {
      this.remove(watcher);
      return { refused: 'compacted', compactRevision };
    }
    const found: Version[] = [];
    let position = history.positionOf(watcher.nextRevision);
    let looked = 0;
    let sizeBytes = 0;
    let upTo = watcher.nextRevision - 1;
    for (let change = history.at(position); change !== undefined; change = history.at(++position)) {
      // Only between revisions may a batch end.
      if (change.modRevision !== upTo && (looked >= CATCH_UP_CHANGES_MAX || sizeBytes >= BATCH_BYTES_MAX)) break;
      upTo = change.modRevision;
      looked++;
      if (!spanHolds(watcher.span, change.entry.key) || !passes(watcher, change)) continue;
      found.push(change);
      sizeBytes += change.sizeBytes;
    }
    const caughtUp = history.at(position) === undefined;
    const reached = (caughtUp ? Math.max(revision, watcher.nextRevision - 1) : upTo) as Revision;
    watcher.nextRevision = reached + 1;
    if (caughtUp) watcher.state = 'synced';
    return batch(reached, found, watcher.prevKv);
  }
}

function passes(watcher: Watcher, change: Version): boolean {
  return change.deleted ? !watcher.noDelete : !watcher.noPut;
}

function batch(revision: Revision, changes: readonly Version[], prevKv: boolean): WatchBatch {
  return { revision, events: changes.map((change) => eventOf(change, prevKv)), progress: false };
}

function eventOf(change: Version, prevKv: boolean): WatchEvent {
  const kind = change.deleted ? 'delete' : 'put';
  const { previous } = change;
  if (!prevKv || previous === undefined || previous.deleted) return { kind, kv: change };
  const before: KeyValue = previous;
  return { kind, kv: change, prevKv: before };
}
