import type { Clock } from '@wherry/daemon';
import { GRPC_PING_INTERVAL_MS_MIN } from '../schema/limits.ts';

/** Without a call a connection has no reason to be kept alive so eagerly (gRPC's default). */
const IDLE_PING_INTERVAL_MS_MIN = 2 * 3_600_000;
const STRIKES_MAX = 2;

/** Who pings more often than gRPC's servers allow is sent away, as official clients expect. */
export class PingPolicy {
  readonly #clock: Clock;
  #lastMs = Number.NEGATIVE_INFINITY;
  #strikes = 0;
  #answered = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** We sent something since: clients then ping to measure the way, which is no offence. */
  answered(): void {
    this.#answered = true;
  }

  /** A ping came. @returns false if it is one too many */
  allows(busy: boolean): boolean {
    const now = this.#clock.monotonicMs();
    const tooSoon = now - this.#lastMs < (busy ? GRPC_PING_INTERVAL_MS_MIN : IDLE_PING_INTERVAL_MS_MIN);
    this.#lastMs = now;
    if (this.#answered) this.#strikes = 0;
    else if (tooSoon) this.#strikes++;
    this.#answered = false;
    return this.#strikes <= STRIKES_MAX;
  }
}
