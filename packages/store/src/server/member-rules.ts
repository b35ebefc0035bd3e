import type { Refusal } from '../mvcc/refusal.ts';
import { votersOf } from '../raft/quorum.ts';
import type { NodeId } from '../raft/types.ts';
import type { Replica } from '../replica/replica.ts';

/** A learner must have this part of the leader's log before it may vote (etcd's number). */
const READY_PART = 0.9;

/** etcd's --strict-reconfig-check: no change that would leave the cluster without a majority that works. */
export function mayAddVoter(replica: Replica): Refusal | undefined {
  const { voters, started, connected } = countOf(replica);
  // One member has nobody who could object; adding a second one is how every cluster grows.
  if (voters === 1) return undefined;
  if (started < Math.floor((voters + 1) / 2) + 1) return { refused: 'notEnoughStarted' };
  return connected < voters ? { refused: 'unhealthy' } : undefined;
}

export function mayRemove(replica: Replica, id: NodeId): Refusal | undefined {
  const { configuration } = replica.raft.inspect;
  if (replica.cluster.member(id) === undefined) return { refused: 'memberNotFound' };
  if (!votersOf(configuration).includes(id)) return undefined;
  const { voters, started, connected } = countOf(replica);
  const isStarted = hasStarted(replica, id);
  const needed = Math.floor((voters - 1) / 2) + 1;
  if (voters === 1 || started - Number(isStarted) < needed) return { refused: 'notEnoughStarted' };
  // One that is away takes nothing with it.
  if (!isConnected(replica, id)) return undefined;
  return connected - 1 < needed ? { refused: 'unhealthy' } : undefined;
}

/** Leader: why a member cannot become a voter (yet). */
export function refusalToPromote(replica: Replica, id: NodeId): Refusal | undefined {
  const { configuration, progress, log } = replica.raft.inspect;
  if (replica.cluster.member(id) === undefined) return { refused: 'memberNotFound' };
  if (!configuration.learners.includes(id)) return { refused: 'memberNotLearner' };
  const match = progress.get(id)?.match ?? 0;
  return match < READY_PART * log.committed ? { refused: 'learnerNotReady' } : undefined;
}

function countOf(replica: Replica): { readonly voters: number; readonly started: number; readonly connected: number } {
  const voters = votersOf(replica.raft.inspect.configuration);
  return {
    voters: voters.length,
    started: voters.filter((id) => hasStarted(replica, id)).length,
    connected: voters.filter((id) => isConnected(replica, id)).length,
  };
}

function hasStarted(replica: Replica, id: NodeId): boolean {
  return (replica.cluster.member(id)?.clientUrls.length ?? 0) > 0;
}

function isConnected(replica: Replica, id: NodeId): boolean {
  return id === replica.options.memberId || replica.raft.inspect.connected.has(id);
}
