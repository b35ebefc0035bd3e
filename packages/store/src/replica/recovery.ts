import type { Logger } from '@wherry/daemon';
import { Mvcc } from '../mvcc/mvcc.ts';
import { type Entry, type LogIndex, type Persisted, type SnapshotMeta, type Term, votersOnly } from '../raft/types.ts';
import { CorruptFile, type Disk } from '../wal/disk.ts';
import { type Recovered, recover } from '../wal/recovery.ts';
import { loadNewestSnapshot, removeTemporaryFiles } from '../wal/snapshot-file.ts';
import { Wal, type WalIdentity } from '../wal/wal.ts';
import { ClusterState } from './cluster-state.ts';
import { readStateChunks } from './state-chunks.ts';

export interface RecoveredMember {
  readonly identity: WalIdentity;
  readonly wal: Wal;
  readonly mvcc: Mvcc;
  readonly cluster: ClusterState;
  readonly persisted: Persisted;
}

/** How a log begins. */
export interface Founding {
  readonly identity: WalIdentity;
  readonly cluster: ClusterState;
}

/**
 * Reads a member's directory: newest snapshot, then the log behind it.
 * @param found asked for an empty directory, and for one of an earlier version that does not know its cluster: then
 * it is given whose directory that is
 * @throws CorruptFile @throws ForeignData
 */
export async function recoverMember(
  disk: Disk,
  found: (known: WalIdentity | undefined) => Founding | Promise<Founding>,
  logger: Logger,
): Promise<RecoveredMember> {
  await removeTemporaryFiles(disk);
  const recovered = await recover(disk);
  if (recovered.torn !== undefined) logger.warn(recovered.torn, 'cut off the torn end of the last write');
  const loaded = await loadNewestSnapshot(disk, recovered.identity);
  const read = readStateChunks(loaded?.chunks ?? []);
  const genesis =
    read.cluster ?? (recovered.genesis === undefined ? undefined : ClusterState.decode(recovered.genesis));
  const known = genesis !== undefined && recovered.identity !== undefined;
  const founding = known ? { identity: recovered.identity, cluster: genesis } : await found(recovered.identity);
  const { identity, cluster } = founding;
  const configuration = votersOnly(cluster.founders.map(({ id }) => id));
  const snapshot = loaded?.meta ?? { index: 0 as LogIndex, term: 0 as Term, configuration };
  if (recovered.installed !== undefined && recovered.installed.index > snapshot.index) {
    throw new CorruptFile(disk.path, 0, `the snapshot of index ${recovered.installed.index} is missing`);
  }
  const wal = await Wal.open(disk, identity, recovered, read.cluster === undefined ? cluster.encode() : undefined);
  const entries = entriesAfter(disk, snapshot, recovered);
  const persisted = { hardState: recovered.hardState, snapshot, entries };
  return { identity, wal, cluster, mvcc: loaded === undefined ? new Mvcc() : read.mvcc(), persisted };
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
