import type { Clock, Timer } from '@wherry/daemon';
import { isRefusal, type Refusal } from '../mvcc/refusal.ts';
import type { Watcher } from '../mvcc/watch-hub.ts';
import type { Replica } from '../replica/replica.ts';
import { PROGRESS_INTERVAL_MS, WATCH_WINDOW_BATCHES } from '../schema/limits.ts';
import type { Revision, WatchBatch, WatchRequest } from '../schema/messages.ts';

export interface WatchStreamEvents {
  batch(batch: WatchBatch): void;
  /** The watch is over. */
  refused(refusal: Refusal): void;
  /** False while the connection has more to send than it should: the watch then waits for `pump`. */
  mayBatch(): boolean;
  /** The reader has been sent everything up to the store's revision. */
  current?(): void;
}

/** One watch of a connection: takes from history what its reader and its connection can take, and no more. */
export class WatchStream {
  readonly #replica: Replica;
  readonly #clock: Clock;
  readonly #events: WatchStreamEvents;
  readonly #watcher: Watcher;
  readonly #progressNotify: boolean;
  readonly created: Revision;
  #window: number;
  #progressAsked = false;
  #progressTimer: Timer | undefined;
  #pumpDue = false;
  #closed = false;

  /** @param windowBatches batches on their way that the reader has not said it took */
  constructor(
    replica: Replica,
    clock: Clock,
    request: WatchRequest,
    events: WatchStreamEvents,
    windowBatches = WATCH_WINDOW_BATCHES,
  ) {
    this.#window = windowBatches;
    this.#replica = replica;
    this.#clock = clock;
    this.#events = events;
    this.#progressNotify = request.progressNotify === true;
    this.created = replica.mvcc.revision;
    this.#watcher = replica.mvcc.watches.add(request, () => this.#schedule());
    this.#armProgress();
    this.#schedule();
  }

  /** Everything up to the store's revision has been sent. */
  get current(): boolean {
    return this.#watcher.state === 'synced' && this.#watcher.pending.length === 0;
  }

  /** The reader has taken a batch. */
  taken(): void {
    this.#window++;
    this.pump();
  }

  askProgress(): void {
    this.#progressAsked = true;
    this.pump();
  }

  /** Sends what there is, as far as it may. */
  pump(): void {
    this.#pumpDue = false;
    while (!this.#closed && this.#window > 0 && this.#events.mayBatch()) {
      const taken = this.#replica.mvcc.watches.take(this.#watcher);
      if (taken === undefined) {
        if (this.#progressAsked) this.#progress();
        this.#events.current?.();
        return;
      }
      if (isRefusal(taken)) {
        this.close();
        this.#events.refused(taken);
        return;
      }
      if (taken.events.length > 0) this.#send(taken);
      else if (this.#watcher.state === 'behind') {
        // A long way to catch up without a match: others get their turn in between.
        this.#schedule();
        return;
      }
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#progressTimer?.cancel();
    this.#replica.mvcc.watches.remove(this.#watcher);
  }

  #schedule(): void {
    if (this.#pumpDue || this.#closed) return;
    this.#pumpDue = true;
    if (this.#watcher?.state === 'behind') this.#clock.setTimer(0, () => this.pump());
    else queueMicrotask(() => this.pump());
  }

  #send(batch: WatchBatch): void {
    this.#window--;
    this.#armProgress();
    this.#events.batch(batch);
  }

  #progress(): void {
    this.#progressAsked = false;
    this.#send({ revision: this.#replica.mvcc.revision, events: [], progress: true });
  }

  #armProgress(): void {
    this.#progressTimer?.cancel();
    if (!this.#progressNotify || this.#closed) return;
    this.#progressTimer = this.#clock.setTimer(PROGRESS_INTERVAL_MS, () => this.askProgress());
  }
}
