import type { Mvcc } from '../mvcc/mvcc.ts';
import type { Refusal } from '../mvcc/refusal.ts';
import { Raft } from '../raft/raft.ts';
import {
  type LogIndex,
  type Message,
  NOBODY,
  type NodeId,
  type Output,
  type RefusalReason,
  raftDefaults,
  type SnapshotMeta,
  type Term,
} from '../raft/types.ts';
import type { StoreErrorKind } from '../schema/errors.ts';
import { grows, refusedByAlarm } from './admission.ts';
import { Applier } from './applier.ts';
import type { ClusterState } from './cluster-state.ts';
import { type Command, type CommandResponse, encodeCommand, readTicket } from './command.ts';
import { LeaderWaiters } from './leader-waiters.ts';
import { LeaseTimer } from './lease-timer.ts';
import { LogWriter } from './log-writer.ts';
import type { ReplicaOptions, ReplicaParts } from './options.ts';
import { encodeReconfiguration, type Reconfiguration } from './reconfiguration.ts';
import type { RecoveredMember } from './recovery.ts';
import { SnapshotTraffic } from './snapshot-traffic.ts';
import { Snapshots } from './snapshots.ts';
import { Ticker } from './ticker.ts';
import { type Answer, Waiters } from './waiters.ts';

/** Proposals waiting for their answer; beyond it new ones are refused. */
const PROPOSALS_MAX = 20_000;
const refusals: Readonly<Record<RefusalReason, Refusal>> = {
  noLeader: { refused: 'noLeader' },
  transferring: { refused: 'noLeader' },
  tooManyUncommitted: { refused: 'tooManyRequests' },
  tooManyReads: { refused: 'tooManyRequests' },
  pendingChange: { refused: 'unhealthy', detail: 'another change of members is under way' },
  impossibleChange: { refused: 'notEnoughStarted' },
};
/** A member that was removed stays so long, for the sake of what it still has to say. */
const LEAVE_TICKS = 10;
/** Compaction and clean-up done per tick, about a millisecond. */
const PRUNE_STEPS = 10_000;
const DEFRAGMENT_KEYS = 200;

/** One member: joins the consensus core, the log on disk, the state and the other members. */
export class Replica {
  readonly options: ReplicaOptions;
  readonly leases: LeaseTimer;
  /** For the metrics. */
  readonly counts = { leaderChanges: 0, failedProposals: 0, lateTicks: 0 };
  readonly #parts: ReplicaParts;
  readonly #raft: Raft;
  readonly #writer: LogWriter;
  readonly #snapshots: Snapshots;
  readonly #recovered: RecoveredMember;
  readonly #stop = new AbortController();
  /** Answered by applying; the context is the command, to save decoding it again. */
  readonly #proposals: Waiters<CommandResponse, Command | undefined>;
  readonly #reads: Waiters<undefined, undefined>;
  readonly #applier: Applier;
  readonly #traffic: SnapshotTraffic;
  /** Gathered in this turn of the event loop. */
  #toPropose: Buffer[] = [];
  #toRead: Answer<undefined>[] = [];
  #flushDue = false;
  #readsDue: { readonly context: number; readonly index: LogIndex }[] = [];
  #pumping = false;
  readonly #ticker: Ticker;
  #known: { leader: NodeId; term: Term; leading: boolean };
  readonly #leaderWaiters: LeaderWaiters;
  #raising = false;

  /** Takes part with what was recovered from disk. */
  static resume(options: ReplicaOptions, parts: ReplicaParts, recovered: RecoveredMember): Replica {
    const replica = new Replica(options, parts, recovered);
    parts.peers.know(recovered.cluster);
    parts.peers.start({
      message: (message) => replica.#guard(() => replica.#receive(message)),
      connection: (peer, up) => replica.#guard(() => replica.#step({ kind: 'connection', peer, up })),
      snapshot: (message, chunks) => replica.#traffic.receive(message, chunks),
      isEmpty: () => replica.#raft.lastIndex === 0,
      shunned: (reason) => replica.#fatal(new Error(reason)),
    });
    replica.#guard(() => replica.#pump());
    replica.#ticker.start();
    return replica;
  }

  private constructor(options: ReplicaOptions, parts: ReplicaParts, recovered: RecoveredMember) {
    const { clusterId, memberId, heartbeatMs, electionMs } = options;
    const { clock, random, disk, logger } = parts;
    const { snapshot } = recovered.persisted;
    this.options = options;
    this.#parts = parts;
    this.#recovered = recovered;
    this.leases = new LeaseTimer(clock);
    this.#leaderWaiters = new LeaderWaiters(clock);
    this.#ticker = new Ticker(clock, heartbeatMs, (late) => {
      if (late) this.counts.lateTicks++;
      this.#guard(() => this.#tick());
    });
    // etcd's request timeout: long enough for two elections, so that it does not end sooner than the uncertainty.
    const timeoutMs = 5000 + 2 * electionMs;
    // Numbers start anywhere, so that an answer meant for this member's former life is not taken for one of now.
    this.#proposals = new Waiters(clock, timeoutMs, random.integer(2 ** 48));
    this.#reads = new Waiters(clock, timeoutMs, random.integer(2 ** 48));
    const electionTicks = Math.max(2, Math.round(electionMs / heartbeatMs));
    const config = { ...raftDefaults, id: memberId, electionTicks, random: () => random.next() };
    this.#raft = new Raft(config, recovered.persisted);
    this.#known = { leader: NOBODY, term: this.#raft.term, leading: false };
    this.#applier = new Applier(
      {
        options,
        raft: this.#raft,
        proposals: this.#proposals,
        leases: this.leases,
        peers: parts.peers,
        logger,
        removed: (reason) => clock.setTimer(LEAVE_TICKS * heartbeatMs, () => this.#fatal(new Error(reason))),
      },
      recovered,
    );
    this.#writer = new LogWriter(recovered.wal, {
      durable: (sequence) => this.#guard(() => this.#step({ kind: 'persisted', sequence })),
      send: (message) => this.#send(message),
      failed: (error) => this.#fatal(error),
    });
    const identity = { clusterId, memberId };
    this.#snapshots = new Snapshots({ disk, wal: recovered.wal, identity, clock, logger }, options, snapshot.index);
    this.#traffic = new SnapshotTraffic({
      snapshots: this.#snapshots,
      peers: parts.peers,
      logger,
      stop: this.#stop.signal,
      step: (input) => this.#guard(() => this.#step(input)),
      fatal: (error) => this.#fatal(error),
    });
  }

  /** The state; replaced as a whole when a snapshot arrives, so do not keep it. */
  get mvcc(): Mvcc {
    return this.#applier.state.mvcc;
  }

  /** What the members know of themselves; replaced as a whole too. */
  get cluster(): ClusterState {
    return this.#applier.state.cluster;
  }

  get raft(): Raft {
    return this.#raft;
  }

  get applied(): LogIndex {
    return this.#applier.index;
  }

  get isLeader(): boolean {
    return this.#raft.role === 'leader';
  }

  get isLearner(): boolean {
    const { learners, learnersNext } = this.#raft.inspect.configuration;
    return [...learners, ...learnersNext].includes(this.options.memberId);
  }

  get pendingProposals(): number {
    return this.#proposals.size;
  }

  get hasSpace(): boolean {
    return this.mvcc.sizeBytes < this.options.quotaBytes && !this.cluster.hasAlarm('NOSPACE');
  }

  /** Resolves when a leader is known. */
  async leaderKnown(): Promise<void> {
    while (this.#raft.leader === NOBODY && !this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => this.leaderOtherThan(NOBODY, this.options.electionMs, resolve));
    }
  }

  /** Calls back once a leader is known that is not `not`, or when the time is over. */
  leaderOtherThan(not: number, waitMs: number, tell: () => void): void {
    const { leader } = this.#raft;
    if (leader !== NOBODY && leader !== not) tell();
    else this.#leaderWaiters.add(not, waitMs, tell);
  }

  /**
   * Puts a command into the log; `answer` is called once it is applied here, or with the reason why that will not be
   * seen. The request's shape has been checked.
   * @param encoded the request's bytes if they came over a wire
   */
  propose(command: Command, encoded: Buffer | undefined, answer: Answer<CommandResponse>): void {
    const refused = this.#mayPropose(command);
    if (refused !== undefined) {
      answer({ refused });
      return;
    }
    const sequence = this.#proposals.add(answer, command);
    this.#toPropose.push(encodeCommand({ memberId: this.options.memberId, sequence }, command, encoded));
    this.#scheduleFlush();
  }

  /** Leader: puts a change of members into the log; `answer` as for commands. What is possible has been checked. */
  reconfigure(reconfiguration: Reconfiguration, answer: Answer<CommandResponse>): void {
    const refused = this.#stop.signal.aborted ? 'stopped' : this.isLeader ? undefined : 'notLeader';
    if (refused !== undefined) {
      answer({ refused });
      return;
    }
    const ticket = { memberId: this.options.memberId, sequence: this.#proposals.add(answer, undefined) };
    const data = encodeReconfiguration(ticket, reconfiguration);
    this.#guard(() => this.#step({ kind: 'proposeConfiguration', change: reconfiguration.change, data }));
  }

  /** Calls `answer` once this member's state is at least as new as the cluster's was when called. */
  read(answer: Answer<undefined>): void {
    if (this.#stop.signal.aborted) {
      answer({ refused: 'stopped' });
      return;
    }
    this.#toRead.push(answer);
    this.#scheduleFlush();
  }

  /** Hands leadership to another member. */
  transfer(to: NodeId): void {
    this.#guard(() => this.#step({ kind: 'transfer', to }));
  }

  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#ticker.stop();
    this.#refuseAll('stopped');
    await this.#writer.stop();
    await this.#traffic.close();
    await this.#recovered.wal.close();
  }

  #mayPropose(command: Command): StoreErrorKind | undefined {
    if (this.#stop.signal.aborted) return 'stopped';
    if (this.#proposals.size >= PROPOSALS_MAX) return 'tooManyRequests';
    if (this.mvcc.sizeBytes >= this.options.quotaBytes && grows(command)) {
      this.#raiseNoSpace();
      return 'noSpace';
    }
    return refusedByAlarm(this.cluster, command);
  }

  /** From now on nobody takes what grows, until an operator has made room and said so. */
  #raiseNoSpace(): void {
    const alarm = { memberId: this.options.memberId, alarm: 'NOSPACE' } as const;
    if (this.#raising || this.cluster.hasAlarm('NOSPACE')) return;
    this.#raising = true;
    this.propose({ kind: 'alarm', request: { ...alarm, on: true } }, undefined, () => {
      this.#raising = false;
    });
  }

  #scheduleFlush(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    // All requests of one socket read come in one turn; they share a log write and a round of confirmation.
    queueMicrotask(() => this.#guard(() => this.#flush()));
  }

  #flush(): void {
    this.#flushDue = false;
    const data = this.#toPropose;
    const readers = this.#toRead;
    this.#toPropose = [];
    this.#toRead = [];
    if (data.length > 0) this.#raft.step({ kind: 'propose', data });
    if (readers.length > 0) {
      const all: Answer<undefined> = (outcome) => {
        for (const answer of readers) answer(outcome);
      };
      this.#raft.step({ kind: 'read', context: this.#reads.add(all, undefined) });
    }
    this.#pump();
  }

  #step(input: Parameters<Raft['step']>[0]): void {
    this.#raft.step(input);
    this.#pump();
  }

  #receive(message: Message): void {
    this.#step({ kind: 'message', message });
  }

  /** Does all the core asks for. */
  #pump(): void {
    if (this.#pumping || this.#stop.signal.aborted) return;
    this.#pumping = true;
    try {
      while (this.#raft.ready) this.#act(this.#raft.take());
      this.#noticeLeader();
      this.#answerReads();
    } finally {
      this.#pumping = false;
    }
  }

  #act(output: Output): void {
    for (const message of output.sendNow) this.#send(message);
    if (output.install !== undefined) this.#install(output.install);
    this.#writer.add(output);
    for (const entry of output.apply) this.#applier.apply(entry);
    this.#readsDue.push(...output.reads);
    for (const { data, reason } of output.refused) {
      this.counts.failedProposals++;
      this.#proposals.answer(readTicket(data).sequence, refusals[reason]);
    }
    for (const { context, reason } of output.refusedReads) {
      this.#reads.answer(context, refusals[reason]);
    }
  }

  /** In-flight requests of a former leadership have an unknown outcome: said at once, not left to a timeout. */
  #noticeLeader(): void {
    const { leader, term } = this.#raft;
    const leading = this.isLeader;
    const known = this.#known;
    if (leader === known.leader && term === known.term && leading === known.leading) return;
    this.#known = { leader, term, leading };
    if (leader !== NOBODY && leader !== known.leader) this.counts.leaderChanges++;
    this.#parts.logger.info({ leader, term, role: this.#raft.role }, 'leader changed');
    if (known.leader !== NOBODY) {
      this.counts.failedProposals += this.#proposals.size;
      this.#refuseAll('leaderChanged');
    }
    this.leases.restart(leading ? this.mvcc.leases.all() : []);
    if (leader === NOBODY) return;
    this.#leaderWaiters.leads(leader);
  }

  #answerReads(): void {
    if (this.#readsDue.length === 0) return;
    const due = this.#readsDue;
    this.#readsDue = due.filter(({ index }) => index > this.applied);
    for (const { context, index } of due) if (index <= this.applied) this.#reads.answer(context, undefined);
  }

  #refuseAll(kind: StoreErrorKind): void {
    this.#proposals.refuseAll(kind);
    this.#reads.refuseAll(kind);
    for (const answer of this.#toRead.splice(0)) answer({ refused: kind });
  }

  #tick(): void {
    this.#step({ kind: 'tick' });
    this.#proposals.refuseOverdue();
    this.#reads.refuseOverdue();
    if (this.isLeader) {
      for (const id of this.leases.takeExpired(this.options.electionMs)) {
        this.propose({ kind: 'leaseRevoke', request: { id } }, undefined, () => undefined);
      }
    }
    if (this.#snapshots.isDue(this.applied, this.mvcc.sizeBytes)) this.#takeSnapshot();
    if (this.#snapshots.taking) return;
    this.mvcc.prune(PRUNE_STEPS);
    this.mvcc.defragment(DEFRAGMENT_KEYS);
  }

  #takeSnapshot(): void {
    const { configuration } = this.#raft.inspect;
    const meta = { index: this.applied, term: this.#applier.term, configuration };
    const keepFrom = Math.max(1, meta.index - this.options.keptEntries + 1) as LogIndex;
    this.#traffic.take(this.#applier.state, meta, keepFrom);
  }

  #send(message: Message): void {
    if (message.kind !== 'snapshot') this.#parts.peers.send(message);
    else void this.#traffic.send(message);
  }

  #install(meta: SnapshotMeta): void {
    this.#applier.install(meta, this.#traffic.claim(meta));
    const { mvcc } = this;
    this.#parts.logger.info({ index: meta.index, revision: mvcc.revision }, 'snapshot installed');
  }

  #guard(work: () => void): void {
    if (this.#stop.signal.aborted) return;
    try {
      work();
    } catch (error) {
      this.#fatal(error);
    }
  }

  #fatal(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(error);
    this.#ticker.stop();
    this.#refuseAll('stopped');
    this.#parts.onFatal(error);
  }
}
