import type { Logger } from '@wherry/daemon';
import { Mvcc } from '../mvcc/mvcc.ts';
import { SnapshotSink } from '../mvcc/snapshot.ts';
import type { Entry, LogIndex, NodeId, Persisted, SnapshotMeta, Term } from '../raft/types.ts';
import { CorruptFile, type Disk } from '../wal/disk.ts';
import { type Recovered, recover } from '../wal/recovery.ts';
import { loadNewestSnapshot, removeTemporaryFiles } from '../wal/snapshot-file.ts';
import { Wal, type WalIdentity } from '../wal/wal.ts';

export interface RecoveredMember {
  readonly wal: Wal;
  readonly mvcc: Mvcc;
  readonly persisted: Persisted;
}

/** Reads a member's directory: newest snapshot, then the log behind it. An empty one is a new member. */
export async function recoverMember(
  disk: Disk,
  identity: WalIdentity,
  voters: readonly NodeId[],
  logger: Logger,
): Promise<RecoveredMember> {
  await removeTemporaryFiles(disk);
  const recovered = await recover(disk, identity);
  if (recovered.torn !== undefined) logger.warn(recovered.torn, 'cut off the torn end of the last write');
  const loaded = await loadNewestSnapshot(disk, identity);
  const empty: SnapshotMeta = { index: 0 as LogIndex, term: 0 as Term, configuration: { voters } };
  const snapshot = loaded?.meta ?? empty;
  if (recovered.installed !== undefined && recovered.installed.index > snapshot.index) {
    throw new CorruptFile(disk.path, 0, `the snapshot of index ${recovered.installed.index} is missing`);
  }
  const sink = new SnapshotSink();
  for (const chunk of loaded?.chunks ?? []) sink.add(chunk);
  const mvcc = loaded === undefined ? new Mvcc() : sink.finish();
  const wal = await Wal.open(disk, identity, recovered);
  const entries = entriesAfter(disk, snapshot, recovered);
  return { wal, mvcc, persisted: { hardState: recovered.hardState, snapshot, entries } };
}

function entriesAfter(disk: Disk, snapshot: SnapshotMeta, recovered: Recovered): readonly Entry[] {
  const { entries } = recovered;
  const [first] = entries;
  if (first === undefined) return entries;
  if (first.index > snapshot.index + 1) {
    throw new CorruptFile(disk.path, 0, `entries ${snapshot.index + 1} to ${first.index - 1} are missing`);
  }
  const atSnapshot = entries[snapshot.index - first.index];
  // A leader's snapshot became durable, but the crash came before the log learnt of it: what follows in our log
  // belongs to a history that lost.
  if (atSnapshot !== undefined && atSnapshot.term !== snapshot.term) return [];
  return entries;
}
