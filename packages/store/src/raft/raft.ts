import {
  answerStale,
  campaign,
  checkQuorum,
  connectionChanged,
  countOwnVote,
  hasLiveLeader,
  onTimeoutNow,
  onVoteReply,
  onVoteRequest,
  tickElection,
} from './election.ts';
import { assert, RaftLog } from './log.ts';
import { configure, leaveIsDue, proposeConfiguration, proposeLeave } from './membership.ts';
import { votersOf } from './quorum.ts';
import { confirmReads, onReadIndexReply, requestRead } from './reads.ts';
import {
  advanceCommit,
  broadcast,
  broadcastHeartbeat,
  maybeHandOver,
  onAppend,
  onAppendReject,
  onAppendReply,
  onHeartbeat,
  onSnapshot,
  propose,
  sendAppends,
} from './replication.ts';
import { becomeFollower, emptyOutbox, type RaftState, resetTimers } from './state.ts';
import {
  type HardState,
  type Input,
  type LogIndex,
  type Message,
  type MessageOf,
  NOBODY,
  type NodeId,
  type Output,
  type Persisted,
  type RaftConfig,
  type Role,
  type Term,
} from './types.ts';

interface Handed {
  readonly sequence: number;
  readonly term: Term;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** Commit index that becomes durable with it. */
  readonly commit: LogIndex;
}

/**
 * One member's consensus as a state machine without clock, disk or network: `step` takes an input, `take` tells what
 * is to be done. The driver may step several inputs before it takes, and take again before it has reported the last
 * output as persisted; outputs are to be made durable in order.
 */
export class Raft {
  readonly #state: RaftState;
  #sequence = 0;
  /** Outputs handed out and not reported durable. */
  readonly #handed: Handed[] = [];
  #lastHardState: HardState;
  #durableCommit: LogIndex;

  constructor(config: RaftConfig, persisted: Persisted) {
    const { hardState, snapshot } = persisted;
    assert(config.heartbeatTicks < config.electionTicks, 'heartbeatTicks must be below electionTicks');
    this.#lastHardState = hardState;
    this.#durableCommit = hardState.commit;
    this.#state = {
      config,
      log: new RaftLog(persisted),
      configuration: snapshot.configuration,
      term: hardState.term,
      vote: hardState.vote,
      role: 'follower',
      leader: NOBODY,
      electionElapsed: 0,
      heartbeatElapsed: 0,
      electionTimeout: config.electionTicks,
      lostLeader: NOBODY,
      connected: new Set(),
      coldStart: true,
      deferredPreVote: undefined,
      deferredTicks: 0,
      byTransfer: false,
      votes: new Map(),
      progress: new Map(),
      transferee: NOBODY,
      broadcastDue: false,
      pendingConfiguration: 0 as LogIndex,
      configuring: undefined,
      uncommittedBytes: 0,
      heartbeatRound: 0,
      pendingReads: [],
      earlyReads: [],
      persistedTerm: hardState.term,
      outbox: emptyOutbox(),
    };
    resetTimers(this.#state);
    this.#leadIfAlone();
  }

  get role(): Role {
    return this.#state.role;
  }

  get term(): Term {
    return this.#state.term;
  }

  /** NOBODY if unknown. */
  get leader(): NodeId {
    return this.#state.leader;
  }

  get committed(): LogIndex {
    return this.#state.log.committed;
  }

  get lastIndex(): LogIndex {
    return this.#state.log.lastIndex;
  }

  get firstIndex(): LogIndex {
    return this.#state.log.firstIndex;
  }

  /** For checkers and status: the whole state, not to be changed. */
  get inspect(): Readonly<RaftState> {
    return this.#state;
  }

  step(input: Input): void {
    const state = this.#state;
    switch (input.kind) {
      case 'tick':
        this.#tick();
        return;
      case 'message':
        this.#message(input.message);
        return;
      case 'propose':
        propose(state, input.data);
        return;
      case 'proposeConfiguration':
        proposeConfiguration(state, input.change, input.data);
        return;
      case 'configure':
        configure(state, input.index, input.change);
        this.#leadIfAlone();
        return;
      case 'read':
        requestRead(state, state.config.id, input.context);
        return;
      case 'persisted':
        this.#persisted(input.sequence);
        return;
      case 'connection':
        connectionChanged(state, input.peer, input.up);
        return;
      case 'snapshotSent':
        state.progress.get(input.peer)?.snapshotDone(input.delivered);
        return;
      case 'transfer':
        this.#transfer(input.to);
        return;
      case 'snapshotTaken':
        state.log.compact(input.snapshot, input.keepFrom);
    }
  }

  /** Everything to be done since the last call. */
  take(): Output {
    const state = this.#state;
    if (leaveIsDue(state)) proposeLeave(state);
    if (state.broadcastDue) broadcast(state);
    const { outbox, log } = state;
    state.outbox = emptyOutbox();
    const entries = log.takeUnstable();
    const hardState = this.#changedHardState(entries.length > 0 || outbox.install !== undefined || this.#commitMatters);
    const sequence = ++this.#sequence;
    if (hardState !== undefined || entries.length > 0) {
      const { lastIndex, lastTerm } = log;
      this.#handed.push({ sequence, term: state.term, lastIndex, lastTerm, commit: this.#lastHardState.commit });
    }
    const apply =
      state.configuring === undefined ? log.takeApplicable(state.config.applyBytesMax, this.#durableCommit) : [];
    const last = apply.at(-1);
    if (last?.kind === 'configuration') state.configuring = last.index;
    return { sequence, hardState, entries, apply, ...outbox };
  }

  /** True if `take` would return something to do. */
  get ready(): boolean {
    const { outbox, log, broadcastDue } = this.#state;
    return (
      broadcastDue ||
      log.unstableFrom <= log.lastIndex ||
      (this.#state.configuring === undefined && log.applicableTo(this.#durableCommit) > log.applied) ||
      leaveIsDue(this.#state) ||
      this.#changedHardState(this.#commitMatters, false) !== undefined ||
      outbox.install !== undefined ||
      outbox.sendNow.length +
        outbox.sendAfterPersist.length +
        outbox.reads.length +
        outbox.refused.length +
        outbox.refusedReads.length >
        0
    );
  }

  /** A configuration entry is committed, and must not be acted upon before that is durable. */
  get #commitMatters(): boolean {
    const { log } = this.#state;
    return log.hasConfiguration(this.#lastHardState.commit + 1, log.committed);
  }

  /** Nobody to ask: leading at once saves an election timeout at each start. */
  #leadIfAlone(): void {
    const state = this.#state;
    const [only, ...others] = votersOf(state.configuration);
    if (only !== state.config.id || others.length > 0 || state.role !== 'follower') return;
    if (state.leader === NOBODY) campaign(state, 'vote');
  }

  /** A commit index alone is not worth a write: it is learnt again, so it only rides along. */
  #changedHardState(withCommit: boolean, remember = true): HardState | undefined {
    const { term, vote, log } = this.#state;
    const last = this.#lastHardState;
    const changed = term !== last.term || vote !== last.vote || (withCommit && log.committed !== last.commit);
    if (!changed) return undefined;
    const hardState = log.hardState(term, vote);
    if (remember) this.#lastHardState = hardState;
    return hardState;
  }

  #tick(): void {
    const state = this.#state;
    if (state.role !== 'leader') {
      tickElection(state);
      return;
    }
    state.electionElapsed++;
    state.heartbeatElapsed++;
    if (state.electionElapsed >= state.config.electionTicks) {
      state.electionElapsed = 0;
      state.transferee = NOBODY;
      checkQuorum(state);
      if (this.role !== 'leader') return;
    }
    if (state.heartbeatElapsed >= state.config.heartbeatTicks) broadcastHeartbeat(state);
  }

  #message(message: Message): void {
    const state = this.#state;
    if (message.to !== state.config.id || message.from === state.config.id) return;
    state.coldStart = false;
    if (message.term > state.term) {
      const asksForVote = message.kind === 'preVote' || message.kind === 'vote';
      if (asksForVote && !message.transfer && hasLiveLeader(state)) {
        if (message.kind === 'preVote') {
          state.deferredPreVote = message;
          state.deferredTicks = 0;
        }
        return;
      }
      const promisesNothing = message.kind === 'preVote' || (message.kind === 'preVoteReply' && message.granted);
      if (!promisesNothing) becomeFollower(state, message.term, isFromLeader(message) ? message.from : NOBODY);
    } else if (message.term < state.term) {
      if (isFromLeader(message)) answerStale(state, message.from);
      else if (message.kind === 'preVote') onVoteRequest(state, message);
      return;
    }
    this.#dispatch(message);
  }

  #dispatch(message: Message): void {
    const state = this.#state;
    switch (message.kind) {
      case 'preVote':
      case 'vote':
        onVoteRequest(state, message);
        return;
      case 'preVoteReply':
      case 'voteReply':
        onVoteReply(state, message);
        return;
      case 'append':
      case 'heartbeat':
      case 'snapshot':
        this.#fromLeader(message);
        return;
      case 'appendReply':
        onAppendReply(state, message);
        return;
      case 'appendReject':
        onAppendReject(state, message);
        return;
      case 'heartbeatReply':
        this.#heartbeatReply(message);
        return;
      case 'timeoutNow':
        onTimeoutNow(state);
        return;
      case 'propose':
        // Whoever forwarded it learns of a refusal by time: it may be a follower of somebody else by now.
        if (state.role === 'leader') propose(state, message.data);
        state.outbox.refused = [];
        return;
      case 'readIndex':
        requestRead(state, message.from, message.context);
        return;
      case 'readIndexReply':
        onReadIndexReply(state, message);
    }
  }

  #fromLeader(message: MessageOf<'append'> | MessageOf<'heartbeat'> | MessageOf<'snapshot'>): void {
    const state = this.#state;
    assert(state.role !== 'leader', `Members ${message.from} and ${state.config.id} both lead term ${state.term}`);
    if (state.role !== 'follower') becomeFollower(state, state.term, message.from);
    state.leader = message.from;
    state.electionElapsed = 0;
    state.lostLeader = NOBODY;
    if (message.kind === 'append') onAppend(state, message);
    else if (message.kind === 'heartbeat') onHeartbeat(state, message);
    else onSnapshot(state, message);
  }

  #heartbeatReply(message: MessageOf<'heartbeatReply'>): void {
    const state = this.#state;
    const progress = state.progress.get(message.from);
    if (progress === undefined) return;
    progress.resume();
    progress.round = Math.max(progress.round, message.round);
    if (progress.match < state.log.lastIndex) sendAppends(state, message.from, progress, true);
    confirmReads(state);
  }

  #persisted(sequence: number): void {
    const state = this.#state;
    for (let first = this.#handed[0]; first !== undefined && first.sequence <= sequence; first = this.#handed[0]) {
      this.#handed.shift();
      state.persistedTerm = first.term;
      this.#durableCommit = Math.max(this.#durableCommit, first.commit) as LogIndex;
      state.log.persistedTo(first.lastIndex, first.lastTerm);
    }
    if (state.role === 'leader') advanceCommit(state);
    else if (state.role === 'candidate') countOwnVote(state);
  }

  #transfer(to: NodeId): void {
    const state = this.#state;
    const progress = state.progress.get(to);
    if (state.role !== 'leader' || progress === undefined || !votersOf(state.configuration).includes(to)) return;
    state.transferee = to;
    state.electionElapsed = 0;
    sendAppends(state, to, progress, false);
    maybeHandOver(state);
  }
}

function isFromLeader(
  message: Message,
): message is MessageOf<'append'> | MessageOf<'heartbeat'> | MessageOf<'snapshot'> {
  return message.kind === 'append' || message.kind === 'heartbeat' || message.kind === 'snapshot';
}
