declare const brand: unique symbol;

/** Number of a member, 1 … 2^53-1; 0 stands for "none". */
export type NodeId = number & { readonly [brand]: 'NodeId' };
export type Term = number & { readonly [brand]: 'Term' };
/** Position in the log; the first entry has index 1. */
export type LogIndex = number & { readonly [brand]: 'LogIndex' };

export const NOBODY = 0 as NodeId;

export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  /**
   * What was proposed; empty for the entry by which a new leader opens its term, and for the change of configuration
   * by which a joint one is left.
   */
  readonly data: Buffer;
  /** Absent: a command. */
  readonly kind?: 'configuration';
}

/** Must be durable before anything that follows from it is said to others. */
export interface HardState {
  readonly term: Term;
  /** Who got this member's vote in `term`, or NOBODY. */
  readonly vote: NodeId;
  readonly commit: LogIndex;
}

/**
 * Who decides, and who only listens. While `outgoing` is not empty the configuration is joint (Raft thesis §4.3):
 * decisions need a majority of `voters` and a majority of `outgoing`.
 */
export interface Configuration {
  readonly voters: readonly NodeId[];
  /** Voters of the configuration being left; empty unless joint. */
  readonly outgoing: readonly NodeId[];
  /** Get the log, but neither vote nor count. */
  readonly learners: readonly NodeId[];
  /** Still voters in `outgoing`; learners once the joint configuration is left. */
  readonly learnersNext: readonly NodeId[];
  /** The leader leaves the joint configuration by itself as soon as it is applied. */
  readonly autoLeave: boolean;
}

export function votersOnly(voters: readonly NodeId[]): Configuration {
  return { voters, outgoing: [], learners: [], learnersNext: [], autoLeave: false };
}

export interface MemberChange {
  /** A learner becomes a voter and a voter a learner by adding it as such. */
  readonly kind: 'addVoter' | 'addLearner' | 'remove';
  readonly id: NodeId;
}

/** etcd-io/raft's ConfChangeV2. */
export interface ConfigurationChange {
  /**
   * `auto`: joint only if there are several changes, and then left without being asked; `jointImplicit`: joint, and
   * left without being asked; `jointExplicit`: joint until an empty change leaves it.
   */
  readonly transition: 'auto' | 'jointImplicit' | 'jointExplicit';
  readonly changes: readonly MemberChange[];
}

/** Names the state after `index`; the bytes themselves are the driver's business. */
export interface SnapshotMeta {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

export type Message = Envelope &
  (
    | {
        readonly kind: 'preVote' | 'vote';
        readonly lastIndex: LogIndex;
        readonly lastTerm: Term;
        readonly transfer: boolean;
      }
    | { readonly kind: 'preVoteReply' | 'voteReply'; readonly granted: boolean }
    | {
        readonly kind: 'append';
        readonly prevIndex: LogIndex;
        readonly prevTerm: Term;
        readonly entries: readonly Entry[];
        readonly commit: LogIndex;
      }
    | { readonly kind: 'appendReply'; readonly match: LogIndex }
    | {
        /** `prevIndex` did not match; the logs can only agree at or below `hintIndex`, where the term is `hintTerm`. */
        readonly kind: 'appendReject';
        readonly prevIndex: LogIndex;
        readonly hintIndex: LogIndex;
        readonly hintTerm: Term;
      }
    | { readonly kind: 'heartbeat'; readonly commit: LogIndex; readonly round: number }
    | { readonly kind: 'heartbeatReply'; readonly round: number }
    | { readonly kind: 'snapshot'; readonly snapshot: SnapshotMeta }
    | { readonly kind: 'timeoutNow' }
    | { readonly kind: 'propose'; readonly data: readonly Buffer[] }
    | { readonly kind: 'readIndex'; readonly context: number }
    | { readonly kind: 'readIndexReply'; readonly context: number; readonly index: LogIndex }
  );

export type MessageOf<K extends Message['kind']> = Extract<Message, { readonly kind: K }>;

export interface RaftConfig {
  readonly id: NodeId;
  /** Ticks without news from a leader before a follower campaigns; the real timeout is 1 to 2 times this. @default 10 */
  readonly electionTicks: number;
  /** Ticks between a leader's heartbeats. Must be well below `electionTicks`. @default 1 */
  readonly heartbeatTicks: number;
  /** Entry bytes per append message. A single larger entry still goes, alone. @default 1 MiB */
  readonly appendBytesMax: number;
  /** Unanswered append messages per follower, in count and bytes; beyond it the leader waits. @default 256, 16 MiB */
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
  /** Bytes of proposals not committed yet; beyond it new ones are refused. @default 64 MiB */
  readonly uncommittedBytesMax: number;
  /** Entry bytes handed out for applying at once, so that applying never takes long. @default 4 MiB */
  readonly applyBytesMax: number;
  /** Reads waiting for a leader's confirmation; beyond it new ones are refused. @default 10000 */
  readonly readsMax: number;
  /** Uniform in [0, 1): spreads election timeouts. Injected, so that a seed repeats a run. */
  readonly random: () => number;
}

export const raftDefaults = {
  electionTicks: 10,
  heartbeatTicks: 1,
  appendBytesMax: 1 << 20,
  inflightMessagesMax: 256,
  inflightBytesMax: 16 << 20,
  uncommittedBytesMax: 64 << 20,
  applyBytesMax: 4 << 20,
  readsMax: 10_000,
} as const satisfies Partial<RaftConfig>;

/** What a member remembers over a restart. */
export interface Persisted {
  readonly hardState: HardState;
  readonly snapshot: SnapshotMeta;
  /** Directly after the snapshot or overlapping it, without gaps. */
  readonly entries: readonly Entry[];
}

export type Input =
  | { readonly kind: 'tick' }
  | { readonly kind: 'message'; readonly message: Message }
  /** Wants these commands in the log; each is appended, forwarded or appears in `Output.refused`. */
  | { readonly kind: 'propose'; readonly data: readonly Buffer[] }
  /** Wants another configuration; `data` goes into the log with it. Only a leader takes it. */
  | { readonly kind: 'proposeConfiguration'; readonly change: ConfigurationChange; readonly data: Buffer }
  /**
   * The configuration entry that was handed out for applying is applied: until this is said nothing more is handed
   * out. `change` is what it meant, undefined if the driver found that it must have no effect.
   */
  | { readonly kind: 'configure'; readonly index: LogIndex; readonly change: ConfigurationChange | undefined }
  /** Wants an index to read at: an answer with the same context follows, or none if leadership is lost. */
  | { readonly kind: 'read'; readonly context: number }
  /** Everything up to and including the output with this `sequence` is durable. */
  | { readonly kind: 'persisted'; readonly sequence: number }
  /** A connection to a peer came up, or broke and could not be made again at once. */
  | { readonly kind: 'connection'; readonly peer: NodeId; readonly up: boolean }
  /** A snapshot stream to a peer ended. */
  | { readonly kind: 'snapshotSent'; readonly peer: NodeId; readonly delivered: boolean }
  /** Hand leadership over; given up after an election timeout. */
  | { readonly kind: 'transfer'; readonly to: NodeId }
  /** The driver holds a durable snapshot; entries up to `keepFrom` may be forgotten. */
  | { readonly kind: 'snapshotTaken'; readonly snapshot: SnapshotMeta; readonly keepFrom: LogIndex };

export type RefusalReason = 'noLeader' | 'transferring' | 'tooManyUncommitted' | 'tooManyReads' | ChangeRefusal;

/** `pendingChange`: the one before is not applied yet. `impossibleChange`: not from this configuration. */
export type ChangeRefusal = 'pendingChange' | 'impossibleChange';

/** What one turn of the core asks for. */
export interface Output {
  /** Grows by one per output; comes back in `persisted`. */
  readonly sequence: number;
  /** To make durable, in one go and in order with earlier outputs. Entries replace any of the same or higher index. */
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  /** Replace the whole state and log by the snapshot that came with the message. */
  readonly install: SnapshotMeta | undefined;
  /** May leave at once, also before anything above is durable. */
  readonly sendNow: readonly Message[];
  /** Must wait until this output and all before it are durable. */
  readonly sendAfterPersist: readonly Message[];
  /** Committed and durable here; apply in order. A configuration entry is always the last one. */
  readonly apply: readonly Entry[];
  /** Reads with this context may be answered once `index` is applied. */
  readonly reads: readonly { readonly context: number; readonly index: LogIndex }[];
  readonly refused: readonly { readonly data: Buffer; readonly reason: RefusalReason }[];
  readonly refusedReads: readonly { readonly context: number; readonly reason: RefusalReason }[];
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';
