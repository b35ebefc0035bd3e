import type { Clock } from '@wherry/daemon';
import { age, isTruncated, rcodeOf, shortestTtl } from '../zone/wire.ts';

/** Answers kept; the one not used for longest makes room. */
const ANSWERS_MAX = 10_000;
/** Kept at most this long, as kubeadm configures CoreDNS. */
const KEEP_SECONDS_MAX = 30;
const NO_ERROR = 0;
const NO_SUCH_NAME = 3;

interface Kept {
  readonly message: Uint8Array;
  readonly storedMs: number;
  readonly endMs: number;
}

/** Answers of other name servers, kept for as long as they say. */
export class AnswerCache {
  readonly #clock: Clock;
  readonly #answers = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#answers.size;
  }

  /** A copy with its times to live reduced by the time it was kept. */
  get(key: string): Uint8Array | undefined {
    const kept = this.#answers.get(key);
    if (kept === undefined) return undefined;
    this.#answers.delete(key);
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= kept.endMs) return undefined;
    this.#answers.set(key, kept);
    const copy = kept.message.slice();
    age(copy, Math.floor((nowMs - kept.storedMs) / 1000));
    return copy;
  }

  /** Keeps the answer if it is one that will be true for a while. */
  store(key: string, message: Uint8Array): void {
    const rcode = rcodeOf(message);
    const ttl = shortestTtl(message);
    if ((rcode !== NO_ERROR && rcode !== NO_SUCH_NAME) || isTruncated(message) || ttl === undefined || ttl === 0)
      return;
    const storedMs = this.#clock.monotonicMs();
    this.#answers.delete(key);
    this.#answers.set(key, { message, storedMs, endMs: storedMs + Math.min(ttl, KEEP_SECONDS_MAX) * 1000 });
    if (this.#answers.size <= ANSWERS_MAX) return;
    const oldest = this.#answers.keys().next().value;
    if (oldest !== undefined) this.#answers.delete(oldest);
  }
}
