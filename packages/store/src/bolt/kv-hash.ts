import type { Mvcc } from '../mvcc/mvcc.ts';
import { checkRevision } from '../mvcc/range.ts';
import type { Refusal } from '../mvcc/refusal.ts';
import { RevisionWalk } from '../mvcc/revision-walk.ts';
import { type Version, versionAt } from '../mvcc/version.ts';
import { crc32c } from '../wal/crc32c.ts';
import { KEY_BUCKET, keyOf, storedForm } from './etcd-layout.ts';

const COLLECT_PER_SLICE = 2000;
const HASHED_BYTES_PER_SLICE = 256 << 10;

export interface KvHash {
  readonly hash: number;
  /** -1 as long as nothing was compacted, as etcd has it. */
  readonly compactRevision: number;
  readonly hashRevision: number;
}

/**
 * etcd's HashKV: CRC32C over all versions up to a revision, in the form and order of its backend. Equal on all members
 * that have compacted to the same revision, and equal to a real etcd's after the same history.
 * @param revision 0: the newest
 * @param turn lets others run
 */
export async function hashKv(mvcc: Mvcc, revision: number, turn: () => Promise<void>): Promise<KvHash | Refusal> {
  const upTo = revision > 0 ? revision : mvcc.revision;
  const refusal = checkRevision(mvcc, revision);
  if (refusal !== undefined) return refusal;
  // Whether a version is what its key was at the revision can only be told while its chain is whole.
  const release = mvcc.hold();
  try {
    const walk = new RevisionWalk(mvcc);
    while (!walk.collect(COLLECT_PER_SLICE)) await turn();
    const old = await survivors(walk, upTo, turn);
    const hash = await hashOf(walk, upTo, old, turn);
    return { hash, compactRevision: walk.compactRevision === 0 ? -1 : walk.compactRevision, hashRevision: upTo };
  } finally {
    release();
  }
}

/**
 * Versions at or below the compacted revision that etcd hashes: those that their key still had at the revision. Where
 * no key had any, it hashes whatever compaction has left.
 */
async function survivors(
  walk: RevisionWalk,
  upTo: number,
  turn: () => Promise<void>,
): Promise<(v: Version) => boolean> {
  let seen = 0;
  let any = false;
  for (const version of walk.versions()) {
    if (++seen % COLLECT_PER_SLICE === 0) await turn();
    if (version.modRevision > upTo) break;
    any = versionAt(version.entry, upTo) !== undefined;
    if (any) break;
  }
  return (version) => (any ? versionAt(version.entry, upTo) === version : !version.deleted);
}

async function hashOf(
  walk: RevisionWalk,
  upTo: number,
  survives: (version: Version) => boolean,
  turn: () => Promise<void>,
): Promise<number> {
  let hash = crc32c(Buffer.from(KEY_BUCKET));
  let bytes = 0;
  for (const version of walk.versions()) {
    if (version.modRevision > upTo) break;
    if (version.modRevision <= walk.compactRevision && !survives(version)) continue;
    const value = storedForm(version);
    hash = crc32c(keyOf(version), undefined, undefined, hash);
    hash = crc32c(value, undefined, undefined, hash);
    bytes += value.length + 100;
    if (bytes < HASHED_BYTES_PER_SLICE) continue;
    bytes = 0;
    await turn();
  }
  return hash;
}
