import type { Clock, Scope, Timer } from '@wherry/daemon';
import type { Verdict } from '../health/backend-health.ts';

/** Between the starts of two checks, however many suspicions are reported. */
const HURRY_MS_MIN = 50;

export interface ProberOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly check: (signal: AbortSignal) => Promise<Verdict>;
  readonly onVerdict: (verdict: Verdict) => void;
}

/** Checks one backend regularly, and at once when somebody suspects that it died. */
export class Prober {
  readonly #options: ProberOptions;
  #startedMs = Number.NEGATIVE_INFINITY;
  #suspected = false;
  #wait: { timer: Timer; readonly end: () => void } | undefined;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  run(scope: Scope): void {
    const { name, clock, check, onVerdict } = this.#options;
    scope.run(`checks of ${name}`, async (signal) => {
      const onAbort = () => this.#wait?.end();
      signal.addEventListener('abort', onAbort, { once: true });
      while (!signal.aborted) {
        this.#startedMs = clock.monotonicMs();
        this.#suspected = false;
        const verdict = await check(signal);
        if (signal.aborted) return;
        onVerdict(verdict);
        await this.#untilDue();
      }
    });
  }

  /** Asks for a check now; one that runs may have started too early to see it, so another follows. */
  suspect(): void {
    if (this.#suspected) return;
    this.#suspected = true;
    if (this.#wait === undefined) return;
    this.#wait.timer.cancel();
    this.#wait.timer = this.#options.clock.setTimer(this.#remainingMs(), this.#wait.end);
  }

  #remainingMs(): number {
    const { clock, intervalMs } = this.#options;
    const gapMs = this.#suspected ? Math.min(HURRY_MS_MIN, intervalMs) : intervalMs;
    return Math.max(0, this.#startedMs + gapMs - clock.monotonicMs());
  }

  #untilDue(): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#wait?.timer.cancel();
        this.#wait = undefined;
        resolve();
      };
      this.#wait = { end, timer: this.#options.clock.setTimer(this.#remainingMs(), end) };
    });
  }
}
