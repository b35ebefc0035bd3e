import type { Metrics } from '@wherry/daemon';
import { NOBODY } from '../raft/types.ts';
import type { Replica } from '../replica/replica.ts';
import type { Disk, DiskFile } from '../wal/disk.ts';
import { STORE_VERSION } from './requests.ts';

/** etcd's buckets for a disk write. */
const FSYNC_BUCKETS_SECONDS = Array.from({ length: 14 }, (_, i) => 0.001 * 2 ** i);

/** Metrics under etcd's names, so that its dashboards and alerts work. Gauges are read when they are scraped. */
export function addStoreMetrics(metrics: Metrics, replica: Replica): void {
  const gauge = (name: string, help: string, read: () => number) => {
    const made = metrics.gauge(name, help);
    Object.assign(made, { collect: () => made.set(read()) });
  };
  const counter = (name: string, help: string, read: () => number) => {
    const made = metrics.counter(name, help);
    Object.assign(made, {
      collect() {
        made.reset();
        made.inc(read());
      },
    });
  };
  const { counts } = replica;
  gauge('etcd_server_has_leader', 'Whether or not a leader exists. 1 is existence, 0 is not.', () =>
    Number(replica.raft.leader !== NOBODY),
  );
  gauge('etcd_server_is_leader', 'Whether or not this member is a leader. 1 if is, 0 otherwise.', () =>
    Number(replica.isLeader),
  );
  counter('etcd_server_leader_changes_seen_total', 'The number of leader changes seen.', () => counts.leaderChanges);
  gauge('etcd_server_proposals_committed_total', 'Consensus proposals committed.', () => replica.raft.committed);
  gauge('etcd_server_proposals_applied_total', 'Consensus proposals applied.', () => replica.applied);
  gauge('etcd_server_proposals_pending', 'Proposals waiting to commit.', () => replica.pendingProposals);
  counter('etcd_server_proposals_failed_total', 'Failed proposals seen.', () => counts.failedProposals);
  counter(
    'etcd_server_heartbeat_send_failures_total',
    'Ticks that came too late because the loop was busy.',
    () => counts.lateTicks,
  );
  gauge(
    'etcd_server_quota_backend_bytes',
    'Current backend storage quota size in bytes.',
    () => replica.options.quotaBytes,
  );
  gauge('etcd_mvcc_db_total_size_in_bytes', 'Size of the state in bytes.', () => replica.mvcc.sizeBytes);
  gauge('etcd_mvcc_db_total_size_in_use_in_bytes', 'Size of the state in use in bytes.', () => replica.mvcc.sizeBytes);
  gauge('etcd_debugging_mvcc_keys_total', 'Total number of keys.', () => replica.mvcc.index.size);
  gauge('etcd_debugging_mvcc_watcher_total', 'Total number of watchers.', () => replica.mvcc.watches.size);
  gauge('etcd_debugging_mvcc_current_revision', 'Current revision.', () => replica.mvcc.revision);
  gauge('etcd_debugging_mvcc_compact_revision', 'Last compacted revision.', () => replica.mvcc.compactRevision);
  metrics
    .gauge('etcd_server_version', 'Which version is running.', ['server_version'])
    .set({ server_version: STORE_VERSION }, 1);
}

/** Times every durable write of a disk. */
export function measuredDisk(disk: Disk, metrics: Metrics, nowMs: () => number): Disk {
  const fsync = metrics.histogram(
    'etcd_disk_wal_fsync_duration_seconds',
    'The latency distributions of fsync called by WAL.',
    FSYNC_BUCKETS_SECONDS,
  );
  const measured = (file: DiskFile): DiskFile => ({
    ...file,
    async writeDurably(bytes, position) {
      const startedMs = nowMs();
      await file.writeDurably(bytes, position);
      fsync.observe((nowMs() - startedMs) / 1000);
    },
  });
  return {
    path: disk.path,
    list: () => disk.list(),
    read: (name) => disk.read(name),
    open: async (name) => measured(await disk.open(name)),
    rename: (from, to) => disk.rename(from, to),
    remove: (name) => disk.remove(name),
    syncDirectory: () => disk.syncDirectory(),
  };
}
