import type { RaftLog } from './log.ts';
import type { Progress } from './progress.ts';
import type {
  Configuration,
  Entry,
  LogIndex,
  Message,
  MessageOf,
  NodeId,
  RaftConfig,
  RefusalReason,
  Role,
  SnapshotMeta,
  Term,
} from './types.ts';
import { NOBODY } from './types.ts';

/** What a turn has collected so far; `raft.ts` makes an Output of it. */
export interface Outbox {
  sendNow: Message[];
  sendAfterPersist: Message[];
  reads: { readonly context: number; readonly index: LogIndex }[];
  refused: { readonly data: Buffer; readonly reason: RefusalReason }[];
  refusedReads: { readonly context: number; readonly reason: RefusalReason }[];
  install: SnapshotMeta | undefined;
}

/** A read the leader has not confirmed yet. */
export interface PendingRead {
  readonly from: NodeId;
  readonly context: number;
  readonly index: LogIndex;
  /** Heartbeat round that a quorum must answer. */
  readonly round: number;
}

/** All of a member's consensus state. The functions of this folder are its only writers. */
export interface RaftState {
  readonly config: RaftConfig;
  readonly log: RaftLog;
  configuration: Configuration;
  term: Term;
  vote: NodeId;
  role: Role;
  leader: NodeId;
  electionElapsed: number;
  heartbeatElapsed: number;
  /** In electionTicks … 2 × electionTicks - 1; drawn anew on each change of role. */
  electionTimeout: number;
  /** The leader, if our connection to it is gone and could not be made again: its silence is certain, not just long. */
  lostLeader: NodeId;
  /** Peers to which a connection is up. A hint only: it decides who waits for whom, never what is safe. */
  readonly connected: Set<NodeId>;
  /** True until anything is heard of a leader or a candidate: then nobody need wait for one to time out. */
  coldStart: boolean;
  /** Request for a pre-vote that came while we still heard from the leader: answered should we lose it too. */
  deferredPreVote: MessageOf<'preVote' | 'vote'> | undefined;
  /** Ticks since it came; who still wants it has asked again since. */
  deferredTicks: number;
  /** Candidate only: a healthy leader told us to campaign. */
  byTransfer: boolean;
  votes: Map<NodeId, boolean>;
  /** Leader only: every other member. */
  progress: Map<NodeId, Progress>;
  /** Leader only: whom leadership is being handed to. */
  transferee: NodeId;
  /** Leader only: followers are behind; appends leave when the turn ends, so that one message carries all of it. */
  broadcastDue: boolean;
  /** Leader only: index of the last configuration entry in the log that may not be applied yet. */
  pendingConfiguration: LogIndex;
  /** Configuration entry that the driver has been given and not applied yet. */
  configuring: LogIndex | undefined;
  uncommittedBytes: number;
  heartbeatRound: number;
  /** Leader only: reads waiting for a round, in order of rounds. */
  pendingReads: PendingRead[];
  /** Leader only: reads that came before the first commit of the term. */
  earlyReads: { readonly from: NodeId; readonly context: number }[];
  /** Highest term known to be durable here. */
  persistedTerm: Term;
  outbox: Outbox;
}

export function emptyOutbox(): Outbox {
  return { sendNow: [], sendAfterPersist: [], reads: [], refused: [], refusedReads: [], install: undefined };
}

export function isVoter(state: RaftState): boolean {
  const { voters, outgoing } = state.configuration;
  return voters.includes(state.config.id) || outgoing.includes(state.config.id);
}

/** Envelope of a message of ours in the present term. */
export function envelope(state: RaftState, to: NodeId): { from: NodeId; to: NodeId; term: Term } {
  return { from: state.config.id, to, term: state.term };
}

/**
 * Sends a message that promises nothing beyond our term: at once if the term is durable. Promises (votes, matches)
 * go to `sendAfterPersist` directly.
 */
export function sendEarly(state: RaftState, message: Message): void {
  const { sendNow, sendAfterPersist } = state.outbox;
  (state.persistedTerm === state.term ? sendNow : sendAfterPersist).push(message);
}

export function resetTimers(state: RaftState): void {
  const { electionTicks, random } = state.config;
  state.electionElapsed = 0;
  state.heartbeatElapsed = 0;
  state.electionTimeout = electionTicks + Math.floor(random() * electionTicks);
}

/** Enters a term, or only a role in the same term; the vote is kept within a term. */
export function enter(state: RaftState, role: Role, term: Term, leader: NodeId): void {
  if (term !== state.term) {
    state.term = term;
    state.vote = NOBODY;
  }
  state.role = role;
  state.leader = leader;
  state.lostLeader = NOBODY;
  state.deferredPreVote = undefined;
  state.byTransfer = false;
  state.votes = new Map();
  state.progress = new Map();
  state.transferee = NOBODY;
  state.broadcastDue = false;
  state.uncommittedBytes = 0;
  state.pendingConfiguration = 0 as LogIndex;
  state.pendingReads = [];
  state.earlyReads = [];
  resetTimers(state);
}

export function becomeFollower(state: RaftState, term: Term, leader: NodeId): void {
  enter(state, 'follower', term, leader);
}

export function sizeOf(entries: readonly Entry[]): number {
  let sizeBytes = 0;
  for (const { data } of entries) sizeBytes += data.length;
  return sizeBytes;
}
