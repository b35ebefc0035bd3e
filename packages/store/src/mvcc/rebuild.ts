import { toByteString } from '../schema/keys.ts';
import type { KeyValue, LeaseId, Revision } from '../schema/messages.ts';
import { Mvcc } from './mvcc.ts';
import type { Version } from './version.ts';

const NO_LEASE = 0 as LeaseId;

/** One stored change: what it wrote, or, of a deletion, only the key. */
export interface StoredChange {
  readonly revision: number;
  readonly sub: number;
  readonly deleted: boolean;
  readonly kv: KeyValue;
}

/** Builds a state from a backup's changes, oldest first. */
export class Rebuild {
  readonly #mvcc = new Mvcc();
  readonly #versions: Version[] = [];
  #last: { readonly revision: number; readonly sub: number } = { revision: 1, sub: -1 };

  lease(id: LeaseId, ttlSeconds: number): void {
    this.#mvcc.leases.grant(id, ttlSeconds);
  }

  /** @returns what is wrong with it, if something is: then the backup is of no use */
  change({ revision, sub, deleted, kv }: StoredChange): string | undefined {
    const { revision: lastRevision, sub: lastSub } = this.#last;
    if (revision < lastRevision || (revision === lastRevision && sub <= lastSub)) {
      return `change ${revision}/${sub} comes after ${lastRevision}/${lastSub}`;
    }
    if (kv.key.length === 0) return `change ${revision}/${sub} has no key`;
    const whole =
      kv.modRevision === revision && kv.version > 0 && kv.createRevision > 0 && kv.createRevision <= revision;
    if (!deleted && !whole) return `change ${revision}/${sub} says it is ${kv.modRevision}, version ${kv.version}`;
    this.#last = { revision, sub };
    const made = deleted
      ? { createRevision: 0 as Revision, version: 0, lease: NO_LEASE }
      : { createRevision: kv.createRevision, version: kv.version, lease: kv.lease };
    const at = { modRevision: revision as Revision, sub };
    const value = deleted ? Buffer.alloc(0) : kv.value;
    this.#versions.push(this.#mvcc.restoreVersion(toByteString(kv.key), at, made, value));
    return undefined;
  }

  /**
   * The state. With a bump its revision is that much higher and everything before is compacted: a client that has seen
   * more than the backup holds is told to read everything again, and never sees a revision go back.
   * @param compactRevision what the backup's store had compacted, 0 if nothing
   */
  finish(compactRevision: number, bumpRevisions: number): Mvcc {
    const mvcc = this.#mvcc;
    const revision = Math.max(this.#last.revision, compactRevision) + bumpRevisions;
    mvcc.restoreState(revision as Revision, 0, this.#versions);
    mvcc.index.walk('', undefined, ({ head }) => {
      if (head !== undefined && !head.deleted) mvcc.leases.move(head.entry, NO_LEASE, head.lease);
      return true;
    });
    const compacted = bumpRevisions > 0 ? revision : compactRevision;
    if (compacted > 0) {
      mvcc.compact(compacted);
      while (!mvcc.prune(Number.POSITIVE_INFINITY));
    }
    return mvcc;
  }
}
