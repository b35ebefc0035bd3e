import type { Clock, Logger, Random } from '@wherry/daemon';
import type { NodeId } from '../raft/types.ts';
import type { Disk } from '../wal/disk.ts';
import type { Peers } from './peers.ts';

export interface ReplicaOptions {
  readonly clusterId: number;
  readonly memberId: NodeId;
  /** One tick. @default 100 */
  readonly heartbeatMs: number;
  /** @default 1000 */
  readonly electionMs: number;
  /** Bytes of state; beyond it only reads and deletes are taken. @default 2 GiB */
  readonly quotaBytes: number;
  /** @default 10000 */
  readonly snapshotCount: number;
  /** Entries kept behind a snapshot, so that a follower that is a little behind needs none (as etcd). @default 5000 */
  readonly keptEntries: number;
}

export const replicaDefaults = {
  heartbeatMs: 100,
  electionMs: 1000,
  quotaBytes: 2 * 1024 ** 3,
  snapshotCount: 10_000,
  keptEntries: 5_000,
} as const satisfies Partial<ReplicaOptions>;

export interface ReplicaParts {
  readonly disk: Disk;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A broken invariant or a failed disk: the process must end, durable state and a restart are safer. */
  readonly onFatal: (error: unknown) => void;
}
