import type { LeaseId } from '../schema/messages.ts';
import type { KeyEntry } from './key-index.ts';

export interface Lease {
  readonly id: LeaseId;
  /** What was granted. How much is left is the leader's business (replica/lease-timer.ts): it needs a clock. */
  readonly ttlSeconds: number;
  readonly keys: Set<KeyEntry>;
}

/** The replicated part of leases: which exist, and which keys go when one is revoked. */
export class LeaseBook {
  readonly #leases = new Map<LeaseId, Lease>();

  get size(): number {
    return this.#leases.size;
  }

  get(id: LeaseId): Lease | undefined {
    return this.#leases.get(id);
  }

  all(): IterableIterator<Lease> {
    return this.#leases.values();
  }

  grant(id: LeaseId, ttlSeconds: number): void {
    this.#leases.set(id, { id, ttlSeconds, keys: new Set() });
  }

  remove(id: LeaseId): void {
    this.#leases.delete(id);
  }

  /** Moves a key from one lease to another; 0 means none. */
  move(entry: KeyEntry, from: LeaseId, to: LeaseId): void {
    if (from !== to && from !== 0) this.#leases.get(from)?.keys.delete(entry);
    if (to !== 0) this.#leases.get(to)?.keys.add(entry);
  }
}
