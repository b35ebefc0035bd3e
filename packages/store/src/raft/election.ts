import { Progress } from './progress.ts';
import { hasQuorum, type VoteResult, voteResult } from './quorum.ts';
import { appendOwn } from './replication.ts';
import { becomeFollower, enter, envelope, isVoter, peersOf, type RaftState, sendEarly } from './state.ts';
import { type MessageOf, NOBODY, type NodeId, type Term } from './types.ts';

/** Ticks of a member that does not lead. */
export function tickElection(state: RaftState): void {
  state.electionElapsed++;
  if (!isVoter(state)) return;
  if (state.electionElapsed >= (state.lostLeader !== NOBODY ? staggerTicks(state) : state.electionTimeout))
    campaign(state, 'preVote');
}

/** Check-quorum: a leader that a quorum no longer answers steps down, so that clients look for the real one. */
export function checkQuorum(state: RaftState): void {
  const alive = hasQuorum(
    state.configuration,
    (id) => id === state.config.id || state.progress.get(id)?.active === true,
  );
  for (const progress of state.progress.values()) progress.active = false;
  if (!alive) becomeFollower(state, state.term, NOBODY);
}

/**
 * A connection broke and could not be made again. If it led to the leader, an election may start before the timer
 * says so; members take turns by id, so that survivors do not split the vote.
 */
export function connectionChanged(state: RaftState, peer: NodeId, up: boolean): void {
  if (state.role === 'leader') {
    const progress = state.progress.get(peer);
    if (!up && progress?.state === 'replicate') progress.becomeProbe();
    return;
  }
  if (peer !== state.leader || state.role !== 'follower') return;
  if (up) {
    state.lostLeader = NOBODY;
    return;
  }
  state.lostLeader = peer;
  state.electionElapsed = 0;
  const asked = state.deferredPreVote;
  state.deferredPreVote = undefined;
  if (asked !== undefined && asked.term > state.term) onVoteRequest(state, asked);
  else if (isVoter(state) && staggerTicks(state) === 0) campaign(state, 'preVote');
}

/** How long to leave the others their turn: none for the lowest id among those that remain. */
function staggerTicks(state: RaftState): number {
  const survivors = state.configuration.voters.filter((id) => id !== state.lostLeader).sort((a, b) => a - b);
  return Math.max(0, survivors.indexOf(state.config.id)) * 2;
}

/** `preVote` asks without disturbing anybody; `vote` opens a new term; `transfer` may depose a healthy leader. */
export function campaign(state: RaftState, how: 'preVote' | 'vote' | 'transfer'): void {
  const kind = how === 'preVote' ? 'preVote' : 'vote';
  const { id } = state.config;
  if (kind === 'preVote') {
    const { lostLeader } = state;
    enter(state, 'preCandidate', state.term, NOBODY);
    state.lostLeader = lostLeader;
  } else {
    enter(state, 'candidate', (state.term + 1) as Term, NOBODY);
    state.vote = id;
  }
  if (recordVote(state, id, true) !== 'pending') return;
  const { lastIndex, lastTerm } = state.log;
  for (const to of peersOf(state)) {
    const term = (kind === 'preVote' ? state.term + 1 : state.term) as Term;
    const message = { kind, from: id, to, term, lastIndex, lastTerm, transfer: how === 'transfer' } as const;
    if (kind === 'preVote') sendEarly(state, message);
    else state.outbox.sendAfterPersist.push(message);
  }
}

/** Asked for a (pre-)vote; the term has been dealt with. */
export function onVoteRequest(state: RaftState, message: MessageOf<'preVote' | 'vote'>): void {
  const isPreVote = message.kind === 'preVote';
  const mayVote =
    state.vote === message.from ||
    (state.vote === NOBODY && state.leader === NOBODY) ||
    (isPreVote && message.term > state.term);
  const granted = mayVote && state.log.isUpToDate(message.lastIndex, message.lastTerm);
  const head = { from: state.config.id, to: message.from };
  if (isPreVote) {
    const term = granted ? message.term : state.term;
    sendEarly(state, { ...head, term, kind: 'preVoteReply', granted });
    return;
  }
  if (granted) {
    state.vote = message.from;
    state.electionElapsed = 0;
  }
  state.outbox.sendAfterPersist.push({ ...head, term: state.term, kind: 'voteReply', granted });
}

export function onVoteReply(state: RaftState, message: MessageOf<'preVoteReply' | 'voteReply'>): void {
  const asked = state.role === 'preCandidate' ? 'preVoteReply' : state.role === 'candidate' ? 'voteReply' : undefined;
  if (message.kind !== asked) return;
  // A grant answers the term we asked for: an earlier round's does not count.
  if (message.kind === 'preVoteReply' && message.granted && message.term !== state.term + 1) return;
  recordVote(state, message.from, message.granted);
}

/** A healthy leader wants us to take over. */
export function onTimeoutNow(state: RaftState): void {
  if (isVoter(state) && state.role !== 'leader') campaign(state, 'transfer');
}

/**
 * Whether to ignore a request for a vote because we hear from a leader: keeps a member that was cut off from
 * deposing it (Raft thesis §4.2.3 and §9.6).
 */
export function hasLiveLeader(state: RaftState): boolean {
  if (state.role === 'leader') return true;
  return state.leader !== NOBODY && state.lostLeader === NOBODY && state.electionElapsed < state.config.electionTicks;
}

function recordVote(state: RaftState, from: NodeId, granted: boolean): VoteResult {
  if (!state.votes.has(from)) state.votes.set(from, granted);
  const result = voteResult(state.configuration, state.votes);
  if (result === 'won' && state.role === 'preCandidate') campaign(state, 'vote');
  else if (result === 'won') becomeLeader(state);
  else if (result === 'lost') becomeFollower(state, state.term, NOBODY);
  return result;
}

function becomeLeader(state: RaftState): void {
  enter(state, 'leader', state.term, state.config.id);
  for (const id of peersOf(state)) {
    const progress = new Progress(state.config, state.log.lastIndex);
    progress.active = true;
    state.progress.set(id, progress);
  }
  // Entries of earlier terms become committed only together with one of this term (Raft §5.4.2).
  appendOwn(state, [Buffer.alloc(0)]);
}

/** Tells a leader or candidate of the past that its time is over, so that it catches up with our term. */
export function answerStale(state: RaftState, to: NodeId): void {
  sendEarly(state, { ...envelope(state, to), kind: 'voteReply', granted: false });
}
