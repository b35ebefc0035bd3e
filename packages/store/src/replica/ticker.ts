import type { Clock, Timer } from '@wherry/daemon';

/** Calls back at an interval. After a late wake-up it waits once more for the event loop, and counts one tick only. */
export class Ticker {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #onTick: (late: boolean) => void;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(clock: Clock, everyMs: number, onTick: (late: boolean) => void) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#onTick = onTick;
  }

  start(): void {
    const dueMs = this.#clock.monotonicMs() + this.#everyMs;
    this.#timer = this.#clock.setTimer(this.#everyMs, () => {
      // We were held up: what others sent meanwhile must be heard before time is counted.
      if (this.#clock.monotonicMs() - dueMs < this.#everyMs) this.#tick(false);
      else this.#timer = this.#clock.setTimer(0, () => this.#tick(true));
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #tick(late: boolean): void {
    this.#onTick(late);
    if (!this.#stopped) this.start();
  }
}
