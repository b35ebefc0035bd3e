import { knowsItsConfiguration } from './membership.ts';
import { Progress } from './progress.ts';
import { hasQuorum, membersOf, type VoteResult, voteResult, votersOf } from './quorum.ts';
import { appendOwn } from './replication.ts';
import { becomeFollower, enter, envelope, isVoter, type RaftState, sendEarly } from './state.ts';
import { type MessageOf, NOBODY, type NodeId, type Term } from './types.ts';

/** Ticks by which a member leaves those before it their turn. */
const TURN_TICKS = 2;
/** A pre-vote that was asked for so long ago was given up, or asked for again. */
const DEFERRED_TICKS_MAX = 3;

/** Ticks of a member that does not lead. */
export function tickElection(state: RaftState): void {
  state.electionElapsed++;
  if (!isVoter(state)) return;
  const { deferredPreVote: asked } = state;
  if (++state.deferredTicks > DEFERRED_TICKS_MAX) state.deferredPreVote = undefined;
  else if (asked !== undefined && !hasLiveLeader(state)) {
    // Somebody's timer was a little faster: better to let it go first than to start a round of our own.
    state.deferredPreVote = undefined;
    if (asked.term > state.term) onVoteRequest(state, asked);
  }
  const ours = state.lostLeader !== NOBODY || gathered(state) ? turnTicks(state) : state.electionTimeout;
  if (state.role === 'follower' ? state.electionElapsed >= ours : state.electionElapsed >= state.electionTimeout) {
    campaign(state, 'preVote');
  } else if (state.role !== 'follower') askForVotes(state);
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
 * A connection came up, or broke and could not be made again. If it led to the leader, an election may start before
 * the timer says so, as it may when members that have just started meet; they take turns by id, so that they do not
 * split the vote.
 */
export function connectionChanged(state: RaftState, peer: NodeId, up: boolean): void {
  if (up) state.connected.add(peer);
  else state.connected.delete(peer);
  if (state.role === 'leader') {
    const progress = state.progress.get(peer);
    if (!up && progress?.state === 'replicate') progress.becomeProbe();
    return;
  }
  if (up) {
    if (peer === state.lostLeader) state.lostLeader = NOBODY;
    if (state.role !== 'follower') askForVotes(state);
    else if (gathered(state) && turnTicks(state) === 0) campaign(state, 'preVote');
    return;
  }
  if (peer !== state.leader || state.role !== 'follower') return;
  state.lostLeader = peer;
  state.electionElapsed = 0;
  const asked = state.deferredPreVote;
  state.deferredPreVote = undefined;
  if (asked !== undefined && asked.term > state.term) onVoteRequest(state, asked);
  else if (isVoter(state) && turnTicks(state) === 0) campaign(state, 'preVote');
}

/** Members of a cluster that is just starting have found each other: waiting for a leader's sign would be in vain. */
function gathered(state: RaftState): boolean {
  const { coldStart, leader, configuration, connected, config } = state;
  if (!coldStart || leader !== NOBODY || !isVoter(state)) return false;
  return hasQuorum(configuration, (id) => id === config.id || connected.has(id));
}

/** How long to leave the others their turn: none for the lowest id among those that can be reached. */
function turnTicks(state: RaftState): number {
  const { lostLeader, connected, config } = state;
  const before = votersOf(state.configuration).filter((id) => id < config.id && id !== lostLeader && connected.has(id));
  return before.length * TURN_TICKS;
}

/** `preVote` asks without disturbing anybody; `vote` opens a new term; `transfer` may depose a healthy leader. */
export function campaign(state: RaftState, how: 'preVote' | 'vote' | 'transfer'): void {
  if (!knowsItsConfiguration(state)) return;
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
  state.byTransfer = how === 'transfer';
  // Our own vote counts once it is durable, but nobody needs to wait for that with theirs. Alone it is all there is.
  const alone = votersOf(state.configuration).every((voter) => voter === id);
  if ((kind === 'preVote' || alone) && recordVote(state, id, true) !== 'pending') return;
  askForVotes(state);
}

/** Asks all that have not answered yet: a request or an answer may have been lost on the way. */
function askForVotes(state: RaftState): void {
  const kind = state.role === 'preCandidate' ? 'preVote' : 'vote';
  const { lastIndex, lastTerm } = state.log;
  const term = (kind === 'preVote' ? state.term + 1 : state.term) as Term;
  for (const to of votersOf(state.configuration)) {
    if (to === state.config.id || state.votes.has(to)) continue;
    state.outbox.sendNow.push({
      kind,
      from: state.config.id,
      to,
      term,
      lastIndex,
      lastTerm,
      transfer: state.byTransfer,
    });
  }
}

/** A candidate's own vote has become durable. */
export function countOwnVote(state: RaftState): void {
  const { id } = state.config;
  if (state.persistedTerm === state.term && !state.votes.has(id)) recordVote(state, id, true);
}

/** Asked for a (pre-)vote; the term has been dealt with. */
export function onVoteRequest(state: RaftState, message: MessageOf<'preVote' | 'vote'>): void {
  const isPreVote = message.kind === 'preVote';
  const mayVote =
    state.vote === message.from ||
    (state.vote === NOBODY && state.leader === NOBODY) ||
    (isPreVote && message.term > state.term);
  const isUpToDate = state.log.isUpToDate(message.lastIndex, message.lastTerm);
  const granted = mayVote && isUpToDate && !(isPreVote && isOurTurn(state, message));
  const head = { from: state.config.id, to: message.from };
  if (isPreVote) {
    const term = granted ? message.term : state.term;
    sendEarly(state, { ...head, term, kind: 'preVoteReply', granted });
    // It cannot win with a log like that, but we can: nobody need wait for our timer.
    if (!isUpToDate && state.role === 'follower' && isVoter(state) && !hasLiveLeader(state)) campaign(state, 'preVote');
    return;
  }
  if (granted) {
    state.vote = message.from;
    state.electionElapsed = 0;
  }
  state.outbox.sendAfterPersist.push({ ...head, term: state.term, kind: 'voteReply', granted });
}

/**
 * Two that ask at the same moment with equal logs would vote for themselves and elect nobody: the lower id insists,
 * for a moment only, for it may be heard by nobody.
 */
function isOurTurn(state: RaftState, message: MessageOf<'preVote' | 'vote'>): boolean {
  const { lastIndex, lastTerm } = state.log;
  return (
    state.role === 'preCandidate' &&
    state.electionElapsed < TURN_TICKS &&
    state.config.id < message.from &&
    lastIndex === message.lastIndex &&
    lastTerm === message.lastTerm
  );
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
  // Not even a majority of others makes a leader whose term is not durable: after a crash it could win the same term
  // once more, with another log.
  if (result === 'won' && !state.votes.has(state.config.id)) return 'pending';
  if (result === 'won' && state.role === 'preCandidate') campaign(state, 'vote');
  else if (result === 'won') becomeLeader(state);
  else if (result === 'lost') becomeFollower(state, state.term, NOBODY);
  return result;
}

function becomeLeader(state: RaftState): void {
  enter(state, 'leader', state.term, state.config.id);
  for (const id of membersOf(state.configuration)) {
    if (id === state.config.id) continue;
    const progress = new Progress(state.config, state.log.lastIndex);
    progress.active = true;
    state.progress.set(id, progress);
  }
  // There may be a change among the entries we have and do not know to be committed.
  state.pendingConfiguration = state.log.lastIndex;
  // Entries of earlier terms become committed only together with one of this term (Raft §5.4.2).
  appendOwn(state, [Buffer.alloc(0)]);
}

/** Tells a leader or candidate of the past that its time is over, so that it catches up with our term. */
export function answerStale(state: RaftState, to: NodeId): void {
  sendEarly(state, { ...envelope(state, to), kind: 'voteReply', granted: false });
}
