import type { WatchBatch } from '../schema/messages.ts';

/**
 * Hands batches from a producer to the one iterating reader. The producer looks at `length` and stops in time; the
 * queue itself never waits.
 */
export class BatchQueue implements AsyncIterator<WatchBatch, undefined> {
  readonly #batches: WatchBatch[] = [];
  readonly #onTaken: () => void;
  readonly #onReturn: () => void;
  #waiting: ((result: IteratorResult<WatchBatch, undefined>) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #ended = false;
  #failure: unknown;

  /** @param onTaken after the reader took a batch; @param onReturn when the reader leaves its loop */
  constructor(onTaken: () => void, onReturn: () => void) {
    this.#onTaken = onTaken;
    this.#onReturn = onReturn;
  }

  get length(): number {
    return this.#batches.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(batch: WatchBatch): void {
    if (this.#ended) return;
    if (this.#waiting === undefined) {
      this.#batches.push(batch);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting({ done: false, value: batch });
    this.#onTaken();
  }

  /** No more batches; with a failure, the reader gets it after what is queued. */
  end(failure?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    if (failure === undefined) waiting({ done: true, value: undefined });
    else this.#reject?.(this.#takeFailure());
  }

  async next(): Promise<IteratorResult<WatchBatch, undefined>> {
    const batch = this.#batches.shift();
    if (batch !== undefined) {
      this.#onTaken();
      return { done: false, value: batch };
    }
    if (this.#ended) {
      if (this.#failure !== undefined) throw this.#takeFailure();
      return { done: true, value: undefined };
    }
    if (this.#waiting !== undefined) throw new Error('A watch can have one reader only');
    return new Promise((resolve, reject) => {
      this.#waiting = resolve;
      this.#reject = reject;
    });
  }

  async return(): Promise<IteratorResult<WatchBatch, undefined>> {
    this.#batches.length = 0;
    this.end();
    this.#onReturn();
    return { done: true, value: undefined };
  }

  #takeFailure(): unknown {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }
}
