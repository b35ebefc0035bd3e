import { hasQuorum, votersOf } from './quorum.ts';
import { broadcastHeartbeat } from './replication.ts';
import { envelope, type RaftState, sendEarly } from './state.ts';
import { type LogIndex, type MessageOf, NOBODY, type NodeId } from './types.ts';

/**
 * Linearizable reads without a log entry (Raft thesis §6.4): the leader notes its commit index and confirms with a
 * round of heartbeats that it still leads. All reads that wait when a round starts share it. Leases are not used:
 * fast failover lets a new leader be elected before an old lease would end.
 */
export function requestRead(state: RaftState, from: NodeId, context: number): void {
  if (state.role !== 'leader') {
    if (state.role !== 'follower' || state.leader === NOBODY || from !== state.config.id) refuse(state, from, context);
    else sendEarly(state, { ...envelope(state, state.leader), kind: 'readIndex', context });
    return;
  }
  const { pendingReads, earlyReads, config, log } = state;
  if (pendingReads.length + earlyReads.length >= config.readsMax) {
    if (from === config.id) state.outbox.refusedReads.push({ context, reason: 'tooManyReads' });
    return;
  }
  // Before its first commit a leader does not know how much of the log is committed.
  if (log.termAt(log.committed) !== state.term) {
    earlyReads.push({ from, context });
    return;
  }
  if (votersOf(state.configuration).length === 1) {
    answer(state, from, context, log.committed);
    return;
  }
  const idle = pendingReads.length === 0;
  pendingReads.push({ from, context, index: log.committed, round: state.heartbeatRound + 1 });
  if (idle) startRound(state);
}

export function releaseEarlyReads(state: RaftState): void {
  const waiting = state.earlyReads;
  state.earlyReads = [];
  for (const { from, context } of waiting) requestRead(state, from, context);
}

/** A follower answered a heartbeat; rounds that a quorum has answered free their reads. */
export function confirmReads(state: RaftState): void {
  const { pendingReads } = state;
  if (pendingReads.length === 0) return;
  let confirmed = 0;
  for (const read of pendingReads) {
    const holds = (id: NodeId) => id === state.config.id || (state.progress.get(id)?.round ?? 0) >= read.round;
    if (!hasQuorum(state.configuration, holds)) break;
    answer(state, read.from, read.context, read.index);
    confirmed++;
  }
  if (confirmed === 0) return;
  pendingReads.splice(0, confirmed);
  if (pendingReads.length > 0) startRound(state);
}

export function onReadIndexReply(state: RaftState, message: MessageOf<'readIndexReply'>): void {
  if (message.from !== state.leader) return;
  state.outbox.reads.push({ context: message.context, index: message.index });
}

function startRound(state: RaftState): void {
  state.heartbeatRound++;
  broadcastHeartbeat(state);
}

function answer(state: RaftState, to: NodeId, context: number, index: LogIndex): void {
  if (to === state.config.id) state.outbox.reads.push({ context, index });
  else sendEarly(state, { ...envelope(state, to), kind: 'readIndexReply', context, index });
}

function refuse(state: RaftState, from: NodeId, context: number): void {
  if (from === state.config.id) state.outbox.refusedReads.push({ context, reason: 'noLeader' });
}
