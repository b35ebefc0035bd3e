import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Mvcc } from '../mvcc/mvcc.ts';
import { SnapshotSource } from '../mvcc/snapshot.ts';
import { type LogIndex, NOBODY, type SnapshotMeta, type Term, votersOnly } from '../raft/types.ts';
import { clusterChunk } from '../replica/state-chunks.ts';
import { type ClusterFlags, foundCluster } from '../server/identity.ts';
import { openRealDisk } from '../wal/real-disk.ts';
import { recover } from '../wal/recovery.ts';
import { SnapshotWriter } from '../wal/snapshot-file.ts';
import { Wal } from '../wal/wal.ts';

const CHUNK_BYTES = 512 << 10;
/** A restored log begins here, on every member alike: as if each had been sent this state by a leader. */
const FIRST_INDEX = 1 as LogIndex;
const FIRST_TERM = 1 as Term;

/**
 * Makes the directory of a member of a new cluster that starts with a state. It appears whole or not at all.
 * @throws Error if there is something in the directory already
 */
export async function restoreMember(mvcc: Mvcc, flags: ClusterFlags): Promise<void> {
  const { dataDir } = flags;
  if ((await entriesOf(dataDir)).length > 0) {
    throw new Error(`Cannot restore into ${dataDir}: it is not empty, and nothing in it may be lost`);
  }
  const { identity, cluster } = foundCluster(flags, undefined);
  const draft = `${dataDir}.restoring`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  const disk = await openRealDisk(join(draft, 'member'));
  const configuration = votersOnly(cluster.founders.map(({ id }) => id));
  const meta: SnapshotMeta = { index: FIRST_INDEX, term: FIRST_TERM, configuration };
  const writer = new SnapshotWriter(disk, identity, meta);
  await writer.write(clusterChunk(cluster));
  const source = new SnapshotSource(mvcc);
  for (let chunk = source.next(CHUNK_BYTES); chunk !== undefined; chunk = source.next(CHUNK_BYTES)) {
    await writer.write(chunk);
  }
  await writer.finish();
  const wal = await Wal.open(disk, identity, await recover(disk, identity));
  await wal.append({
    hardState: { term: FIRST_TERM, vote: NOBODY, commit: FIRST_INDEX },
    entries: [],
    install: meta,
  });
  await wal.close();
  await rename(draft, dataDir);
  const parent = await openRealDisk(dirname(dataDir));
  await parent.syncDirectory();
}

async function entriesOf(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
