import { next } from './log.ts';
import type { Progress } from './progress.ts';
import { quorumIndex } from './quorum.ts';
import { releaseEarlyReads } from './reads.ts';
import { envelope, type RaftState, sendEarly, sizeOf } from './state.ts';
import { type LogIndex, type MessageOf, NOBODY, type NodeId, type RefusalReason } from './types.ts';

/** A proposal, here or forwarded by a follower. */
export function propose(state: RaftState, data: readonly Buffer[]): void {
  const refuse = (reason: RefusalReason) => {
    for (const each of data) state.outbox.refused.push({ data: each, reason });
  };
  if (state.role !== 'leader') {
    if (state.leader === NOBODY || state.role !== 'follower') refuse('noLeader');
    else sendEarly(state, { ...envelope(state, state.leader), kind: 'propose', data });
  } else if (state.transferee !== NOBODY) refuse('transferring');
  else if (state.uncommittedBytes >= state.config.uncommittedBytesMax) refuse('tooManyUncommitted');
  else appendOwn(state, data);
}

/** Leader: appends in its own term; the entries leave when the turn ends. */
export function appendOwn(state: RaftState, data: readonly Buffer[]): void {
  state.log.append(state.term, data);
  for (const each of data) state.uncommittedBytes += each.length;
  state.broadcastDue = true;
}

/** Leader: something became durable here or elsewhere; commits what a quorum has. */
export function advanceCommit(state: RaftState): void {
  const { log } = state;
  const index = quorumIndex(state.configuration, (id) =>
    id === state.config.id ? log.persisted : (state.progress.get(id)?.match ?? (0 as LogIndex)),
  );
  if (index <= log.committed || log.termAt(index) !== state.term) return;
  state.uncommittedBytes = Math.max(
    0,
    state.uncommittedBytes - sizeOf(log.slice(next(log.committed), index, Infinity)),
  );
  log.commitTo(index);
  state.broadcastDue = true;
  releaseEarlyReads(state);
}

/** Leader, end of a turn: brings every follower what it lacks, as far as flow control lets it. */
export function broadcast(state: RaftState): void {
  state.broadcastDue = false;
  for (const [id, progress] of state.progress) sendAppends(state, id, progress, true);
}

/** @param evenEmpty also send without entries, to tell the commit index */
export function sendAppends(state: RaftState, to: NodeId, progress: Progress, evenEmpty: boolean): void {
  const { log, config } = state;
  for (let first = true; !progress.paused; first = false) {
    const prevIndex = (progress.next - 1) as LogIndex;
    const prevTerm = log.termAt(prevIndex);
    if (prevTerm === undefined) {
      sendSnapshot(state, to, progress);
      return;
    }
    const entries = log.slice(progress.next, log.lastIndex, config.appendBytesMax);
    if (entries.length === 0 && !(first && evenEmpty)) return;
    const commit = Math.min(log.committed, prevIndex + entries.length) as LogIndex;
    sendEarly(state, { ...envelope(state, to), kind: 'append', prevIndex, prevTerm, entries, commit });
    progress.sent((prevIndex + entries.length) as LogIndex, entries.length, sizeOf(entries));
    if (entries.length === 0) return;
  }
}

export function broadcastHeartbeat(state: RaftState): void {
  state.heartbeatElapsed = 0;
  for (const [id, progress] of state.progress) {
    const commit = Math.min(progress.match, state.log.committed) as LogIndex;
    sendEarly(state, { ...envelope(state, id), kind: 'heartbeat', commit, round: state.heartbeatRound });
  }
}

/** Follower: entries from the leader of our term. */
export function onAppend(state: RaftState, message: MessageOf<'append'>): void {
  const { log } = state;
  const head = envelope(state, message.from);
  const reply = (match: LogIndex) => state.outbox.sendAfterPersist.push({ ...head, kind: 'appendReply', match });
  if (message.prevIndex < log.committed) {
    reply(log.committed);
    return;
  }
  if (!log.matches(message.prevIndex, message.prevTerm)) {
    const hint = log.agreeAtMost(Math.min(message.prevIndex, log.lastIndex), message.prevTerm);
    const { prevIndex } = message;
    sendEarly(state, { ...head, kind: 'appendReject', prevIndex, hintIndex: hint.index, hintTerm: hint.term });
    return;
  }
  log.merge(message.entries);
  const lastNew = (message.prevIndex + message.entries.length) as LogIndex;
  log.commitTo(Math.min(message.commit, lastNew) as LogIndex);
  reply(lastNew);
}

export function onHeartbeat(state: RaftState, message: MessageOf<'heartbeat'>): void {
  state.log.commitTo(Math.min(message.commit, state.log.lastIndex) as LogIndex);
  sendEarly(state, { ...envelope(state, message.from), kind: 'heartbeatReply', round: message.round });
}

/** Follower: a snapshot has arrived whole. */
export function onSnapshot(state: RaftState, message: MessageOf<'snapshot'>): void {
  const { log } = state;
  const { snapshot } = message;
  const head = envelope(state, message.from);
  if (snapshot.index > log.committed && log.matches(snapshot.index, snapshot.term)) log.commitTo(snapshot.index);
  else if (snapshot.index > log.committed) {
    log.reset(snapshot);
    state.configuration = snapshot.configuration;
    state.outbox.install = snapshot;
    state.configuring = undefined;
  }
  state.outbox.sendAfterPersist.push({ ...head, kind: 'appendReply', match: log.committed });
}

export function onAppendReply(state: RaftState, message: MessageOf<'appendReply'>): void {
  const progress = state.progress.get(message.from);
  if (progress === undefined) return;
  progress.active = true;
  const wasPaused = progress.paused;
  if (progress.acknowledge(message.match)) advanceCommit(state);
  else if (!wasPaused) return;
  sendAppends(state, message.from, progress, false);
  maybeHandOver(state);
}

export function onAppendReject(state: RaftState, message: MessageOf<'appendReject'>): void {
  const progress = state.progress.get(message.from);
  if (progress === undefined) return;
  progress.active = true;
  // The follower's hint tells where its terms stop being too new; ours where we have nothing as old as that.
  const agreeAt =
    message.hintTerm > 0 ? state.log.agreeAtMost(message.hintIndex, message.hintTerm).index : message.hintIndex;
  if (progress.reject(message.prevIndex, agreeAt)) sendAppends(state, message.from, progress, true);
}

/** Leader: once the chosen successor has everything, it is told to campaign at once. */
export function maybeHandOver(state: RaftState): void {
  const { transferee } = state;
  if (transferee === NOBODY || state.progress.get(transferee)?.match !== state.log.lastIndex) return;
  sendEarly(state, { ...envelope(state, transferee), kind: 'timeoutNow' });
}

function sendSnapshot(state: RaftState, to: NodeId, progress: Progress): void {
  // To a member that is away it would only be a file opened in vain.
  if (!progress.active) return;
  const { snapshot } = state.log;
  progress.becomeSnapshot(snapshot.index);
  sendEarly(state, { ...envelope(state, to), kind: 'snapshot', snapshot });
}
