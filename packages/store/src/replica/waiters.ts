import type { Clock } from '@wherry/daemon';
import type { Refusal } from '../mvcc/refusal.ts';
import type { StoreErrorKind } from '../schema/errors.ts';

/** Called exactly once with the answer. */
export type Answer<T> = (outcome: T | Refusal) => void;

interface Waiter<T, C> {
  readonly answer: Answer<T>;
  readonly context: C;
  readonly deadlineMs: number;
}

/** Those who wait for something numbered to happen, in order of their numbers. */
export class Waiters<T, C> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #byNumber = new Map<number, Waiter<T, C>>();
  #last: number;

  /** @param first numbers follow this one */
  constructor(clock: Clock, timeoutMs: number, first: number) {
    this.#last = first;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#byNumber.size;
  }

  add(answer: Answer<T>, context: C): number {
    const number = ++this.#last;
    this.#byNumber.set(number, { answer, context, deadlineMs: this.#clock.monotonicMs() + this.#timeoutMs });
    return number;
  }

  context(number: number): C | undefined {
    return this.#byNumber.get(number)?.context;
  }

  /** Does nothing if nobody waits (any more). */
  answer(number: number, outcome: T | Refusal): void {
    const waiter = this.#byNumber.get(number);
    if (waiter === undefined) return;
    this.#byNumber.delete(number);
    waiter.answer(outcome);
  }

  refuseAll(kind: StoreErrorKind): void {
    const waiters = [...this.#byNumber.values()];
    this.#byNumber.clear();
    for (const { answer } of waiters) answer({ refused: kind });
  }

  /** They wait equally long, so the first one that is not due ends the search. */
  refuseOverdue(): void {
    const now = this.#clock.monotonicMs();
    for (const [number, { deadlineMs }] of this.#byNumber) {
      if (deadlineMs > now) return;
      this.answer(number, { refused: 'timeout' });
    }
  }
}
