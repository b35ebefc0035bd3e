import type { Clock } from '@wherry/daemon';
import type { NodeId } from '../raft/types.ts';

interface Waiter {
  readonly not: number;
  readonly tell: () => void;
}

/** Those who want to know as soon as somebody else leads. */
export class LeaderWaiters {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back once when there is a leader that is not `not`, or when the time is over. */
  add(not: number, waitMs: number, tell: () => void): void {
    const waiter = {
      not,
      tell: () => {
        timer.cancel();
        if (this.#waiters.delete(waiter)) tell();
      },
    };
    const timer = this.#clock.setTimer(waitMs, () => waiter.tell());
    this.#waiters.add(waiter);
  }

  leads(leader: NodeId): void {
    for (const waiter of [...this.#waiters]) if (waiter.not !== leader) waiter.tell();
  }
}
