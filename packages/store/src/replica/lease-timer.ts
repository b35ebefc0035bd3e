import type { Clock } from '@wherry/daemon';
import type { LeaseId } from '../schema/messages.ts';

/** etcd's upper bound of a TTL: 285 years. */
export const LEASE_TTL_SECONDS_MAX = 9_000_000_000;
/** Leases revoked in one go, so that a mass expiry does not flood the log. */
const EXPIRED_BATCH_MAX = 500;

/**
 * How long each lease has left. Only the leader counts, on its own monotonic clock; a new leader starts all of them
 * afresh, so that none ends early.
 */
export class LeaseTimer {
  readonly #clock: Clock;
  readonly #deadlines = new Map<LeaseId, number>();
  /** Revocations proposed; tried again if the lease is still there after a while. */
  readonly #ending = new Map<LeaseId, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets a lease's time, or sets it back to its full length. */
  renew(id: LeaseId, ttlSeconds: number): void {
    this.#deadlines.set(id, this.#clock.monotonicMs() + ttlSeconds * 1000);
    this.#ending.delete(id);
  }

  forget(id: LeaseId): void {
    this.#deadlines.delete(id);
    this.#ending.delete(id);
  }

  /** Leadership came or went. */
  restart(leases: Iterable<{ readonly id: LeaseId; readonly ttlSeconds: number }>): void {
    this.#deadlines.clear();
    this.#ending.clear();
    for (const { id, ttlSeconds } of leases) this.renew(id, ttlSeconds);
  }

  /** Seconds left; undefined if the lease is not known here. Negative once it is due. */
  leftSeconds(id: LeaseId): number | undefined {
    const deadline = this.#deadlines.get(id);
    return deadline === undefined ? undefined : (deadline - this.#clock.monotonicMs()) / 1000;
  }

  /** Leases whose time is over and whose revocation is to be proposed now. */
  takeExpired(retryMs: number): LeaseId[] {
    const now = this.#clock.monotonicMs();
    const expired: LeaseId[] = [];
    for (const [id, deadline] of this.#deadlines) {
      if (deadline > now || (this.#ending.get(id) ?? 0) > now) continue;
      this.#ending.set(id, now + retryMs);
      expired.push(id);
      if (expired.length >= EXPIRED_BATCH_MAX) break;
    }
    return expired;
  }
}
