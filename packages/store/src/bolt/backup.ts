import { createHash } from 'node:crypto';
import type { Mvcc } from '../mvcc/mvcc.ts';
import { RevisionWalk } from '../mvcc/revision-walk.ts';
import {
  BUCKETS,
  KEY_BUCKET,
  keyBytesOf,
  keyOf,
  LEASE_BUCKET,
  leaseItem,
  MEMBERS_BUCKET,
  META_BUCKET,
  memberItem,
  metaKeys,
  revisionKey,
  type StoredMember,
  storedBytesOf,
  storedForm,
  uint64,
} from './etcd-layout.ts';
import { BoltWriter, type BucketSource } from './writer.ts';

/** Behind the file, as etcd appends it: a checksum of all of it. */
export const CHECKSUM_BYTES = 32;
/** Keys or changes gathered between two turns of the event loop: about a millisecond. */
const COLLECT_PER_SLICE = 2000;

export interface BackupFacts {
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly members: readonly StoredMember[];
}

/** The state as of now as etcd's own tools read it: a bbolt file and its checksum. */
export class Backup {
  readonly revision: number;
  readonly #writer: BoltWriter;

  /**
   * Gathers and measures; what is written to the store meanwhile is not in it.
   * @param turn lets others run; rejects to give the backup up
   */
  static async take(mvcc: Mvcc, facts: BackupFacts, turn: () => Promise<void>): Promise<Backup> {
    const leases = [...mvcc.leases.all()].map(({ id, ttlSeconds }) => ({ id, ttlSeconds }));
    const walk = new RevisionWalk(mvcc);
    try {
      while (!walk.collect(COLLECT_PER_SLICE)) await turn();
    } finally {
      walk.close();
    }
    const writer = new BoltWriter(buckets(walk, leases.map(leaseItem), facts));
    for (const _ of writer.measure()) await turn();
    return new Backup(walk.revision, writer);
  }

  private constructor(revision: number, writer: BoltWriter) {
    this.revision = revision;
    this.#writer = writer;
  }

  get sizeBytes(): number {
    return this.#writer.sizeBytes + CHECKSUM_BYTES;
  }

  /** The whole of it, once. Each chunk costs about a millisecond, and is overwritten by the next. */
  *chunks(): Generator<Buffer> {
    const hash = createHash('sha256');
    for (const chunk of this.#writer.write()) {
      hash.update(chunk);
      yield chunk;
    }
    yield hash.digest();
  }
}

type Item = readonly [Buffer, Buffer];

function buckets(walk: RevisionWalk, leases: readonly Item[], facts: BackupFacts): BucketSource[] {
  const small: Readonly<Record<string, readonly Item[]>> = {
    [LEASE_BUCKET]: leases,
    [MEMBERS_BUCKET]: facts.members.map(memberItem),
    [META_BUCKET]: metaItems(walk.compactRevision, facts),
  };
  return [...BUCKETS].sort().map((name) => {
    if (name !== KEY_BUCKET) return smallBucket(name, small[name] ?? []);
    return {
      name,
      *sizes() {
        for (const version of walk.versions()) yield [keyBytesOf(version), storedBytesOf(version)] as const;
      },
      *items() {
        for (const version of walk.versions()) yield [keyOf(version), storedForm(version)] as const;
      },
    };
  });
}

function smallBucket(name: string, items: readonly Item[]): BucketSource {
  const sorted = [...items].sort(([a], [b]) => a.compare(b));
  return { name, items: () => sorted, sizes: () => sorted.map(([key, value]) => [key.length, value.length] as const) };
}

function metaItems(compactRevision: number, { raftIndex, raftTerm }: BackupFacts): Item[] {
  const compacted = revisionKey({ main: compactRevision, sub: 0, tombstone: false });
  return [
    [Buffer.from(metaKeys.consistentIndex), uint64(raftIndex)],
    [Buffer.from(metaKeys.term), uint64(raftTerm)],
    ...(compactRevision === 0
      ? []
      : ([
          [Buffer.from(metaKeys.finishedCompact), compacted],
          [Buffer.from(metaKeys.scheduledCompact), compacted],
        ] as const)),
  ];
}
