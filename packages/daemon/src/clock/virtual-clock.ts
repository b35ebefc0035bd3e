import { type Clock, sleepOn, type Timer } from './clock.ts';

interface Pending {
  readonly atMs: number;
  readonly order: number;
  readonly fn: () => void;
}

/** Turns of the microtask queue given to awaiting code between two timers. */
const SETTLE_TURNS = 50;

/** A clock that stands still until told to advance: timers fire in order of time, then of creation. */
export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #order = 0;
  readonly #timers = new Set<Pending>();

  constructor(startMs = Date.UTC(2025, 0, 1)) {
    this.#nowMs = startMs;
    this.#startMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  setTimer(ms: number, fn: () => void): Timer {
    const pending: Pending = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, fn };
    this.#timers.add(pending);
    return { cancel: () => void this.#timers.delete(pending) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** Timers not yet fired; for tests that look for leaks. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves time on by `ms`, firing what falls due and letting awaiting code run after each timer. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.atMs > endMs) break;
      this.#timers.delete(next);
      this.#nowMs = next.atMs;
      next.fn();
      await settle();
    }
    this.#nowMs = endMs;
    await settle();
  }

  #next(): Pending | undefined {
    let best: Pending | undefined;
    for (const timer of this.#timers) {
      if (best === undefined || timer.atMs < best.atMs || (timer.atMs === best.atMs && timer.order < best.order)) {
        best = timer;
      }
    }
    return best;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await Promise.resolve();
}
