import type { Mvcc } from '../mvcc/mvcc.ts';
import { isRefusal } from '../mvcc/refusal.ts';
import { Raft } from '../raft/raft.ts';
import {
  type Entry,
  type LogIndex,
  type Message,
  type MessageOf,
  NOBODY,
  type NodeId,
  type Output,
  raftDefaults,
  type SnapshotMeta,
  type Term,
} from '../raft/types.ts';
import type { StoreErrorKind } from '../schema/errors.ts';
import type { LeaseId } from '../schema/messages.ts';
import {
  applyCommand,
  type Command,
  type CommandResponse,
  decodeCommand,
  encodeCommand,
  readTicket,
} from './command.ts';
import { LeaseTimer } from './lease-timer.ts';
import { LogWriter } from './log-writer.ts';
import type { ReplicaOptions, ReplicaParts } from './options.ts';
import { type RecoveredMember, recoverMember } from './recovery.ts';
import { Snapshots } from './snapshots.ts';
import { Ticker } from './ticker.ts';
import { type Answer, Waiters } from './waiters.ts';

/** Proposals waiting for their answer; beyond it new ones are refused. */
const PROPOSALS_MAX = 20_000;
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
  readonly #proposals: Waiters<CommandResponse, Command>;
  readonly #reads: Waiters<undefined, undefined>;
  #mvcc: Mvcc;
  #applied: LogIndex;
  #appliedTerm: Term;
  /** Gathered in this turn of the event loop. */
  #toPropose: Buffer[] = [];
  #toRead: Answer<undefined>[] = [];
  #flushDue = false;
  #readsDue: { readonly context: number; readonly index: LogIndex }[] = [];
  #pumping = false;
  readonly #ticker: Ticker;
  #known: { leader: NodeId; term: Term; leading: boolean };
  /** Arrived and durable, waiting for the core's word. */
  #received: { readonly meta: SnapshotMeta; readonly mvcc: Mvcc } | undefined;
  #snapshotting: Promise<void> = Promise.resolve();
  #leaderWaiters: (() => void)[] = [];

  /** Recovers from disk and takes part from then on. @throws CorruptFile, ForeignData, or the disk's error */
  static async start(options: ReplicaOptions, parts: ReplicaParts): Promise<Replica> {
    const { clusterId, memberId, voters } = options;
    const recovered = await recoverMember(parts.disk, { clusterId, memberId }, voters, parts.logger);
    const replica = new Replica(options, parts, recovered);
    parts.peers.start({
      message: (message) => replica.#guard(() => replica.#receive(message)),
      connection: (peer, up) => replica.#guard(() => replica.#step({ kind: 'connection', peer, up })),
      snapshot: (message, chunks) => replica.#receiveSnapshot(message, chunks),
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
    this.#mvcc = recovered.mvcc;
    this.#applied = snapshot.index;
    this.#appliedTerm = snapshot.term;
    this.leases = new LeaseTimer(clock);
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
    this.#writer = new LogWriter(recovered.wal, {
      durable: (sequence) => this.#guard(() => this.#step({ kind: 'persisted', sequence })),
      send: (message) => this.#send(message),
      failed: (error) => this.#fatal(error),
    });
    const identity = { clusterId, memberId };
    this.#snapshots = new Snapshots({ disk, wal: recovered.wal, identity, clock, logger }, options, snapshot.index);
  }

  /** The state; replaced as a whole when a snapshot arrives, so do not keep it. */
  get mvcc(): Mvcc {
    return this.#mvcc;
  }

  get raft(): Raft {
    return this.#raft;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  get isLeader(): boolean {
    return this.#raft.role === 'leader';
  }

  get pendingProposals(): number {
    return this.#proposals.size;
  }

  get hasSpace(): boolean {
    return this.#mvcc.sizeBytes < this.options.quotaBytes;
  }

  /** Resolves when a leader is known. */
  async leaderKnown(): Promise<void> {
    if (this.#raft.leader === NOBODY) await new Promise<void>((resolve) => this.#leaderWaiters.push(resolve));
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
    await this.#snapshotting;
    await this.#recovered.wal.close();
  }

  #mayPropose(command: Command): StoreErrorKind | undefined {
    if (this.#stop.signal.aborted) return 'stopped';
    if (this.#proposals.size >= PROPOSALS_MAX) return 'tooManyRequests';
    const grows = command.kind === 'put' || command.kind === 'leaseGrant' || (command.kind === 'txn' && adds(command));
    return grows && !this.hasSpace ? 'noSpace' : undefined;
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
    for (const entry of output.apply) this.#apply(entry);
    this.#readsDue.push(...output.reads);
    for (const { data, reason } of output.refused) {
      const kind = reason === 'tooManyUncommitted' ? 'tooManyRequests' : 'noLeader';
      this.counts.failedProposals++;
      this.#proposals.answer(readTicket(data).sequence, { refused: kind });
    }
    for (const { context, reason } of output.refusedReads) {
      this.#reads.answer(context, { refused: reason === 'noLeader' ? 'noLeader' : 'tooManyRequests' });
    }
  }

  #apply(entry: Entry): void {
    this.#applied = entry.index;
    this.#appliedTerm = entry.term;
    if (entry.data.length === 0) return;
    const ticket = readTicket(entry.data);
    const own = ticket.memberId === this.options.memberId;
    const command = (own ? this.#proposals.context(ticket.sequence) : undefined) ?? decodeCommand(entry.data);
    const outcome = applyCommand(this.#mvcc, command);
    if (!isRefusal(outcome)) this.#noteLease(command);
    if (own) this.#proposals.answer(ticket.sequence, outcome);
  }

  #noteLease(command: Command): void {
    if (command.kind === 'leaseRevoke') this.leases.forget(command.request.id as LeaseId);
    if (command.kind === 'leaseGrant' && this.isLeader) {
      this.leases.renew(command.request.id as LeaseId, command.request.ttlSeconds);
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
    this.leases.restart(leading ? this.#mvcc.leases.all() : []);
    if (leader === NOBODY) return;
    for (const resolve of this.#leaderWaiters.splice(0)) resolve();
  }

  #answerReads(): void {
    if (this.#readsDue.length === 0) return;
    const due = this.#readsDue;
    this.#readsDue = due.filter(({ index }) => index > this.#applied);
    for (const { context, index } of due) if (index <= this.#applied) this.#reads.answer(context, undefined);
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
    if (this.#snapshots.isDue(this.#applied, this.#mvcc.sizeBytes)) this.#takeSnapshot();
    if (this.#snapshots.taking) return;
    this.#mvcc.prune(PRUNE_STEPS);
    this.#mvcc.defragment(DEFRAGMENT_KEYS);
  }

  #takeSnapshot(): void {
    const { configuration } = this.#raft.inspect;
    const meta = { index: this.#applied, term: this.#appliedTerm, configuration };
    const take = async () => {
      try {
        await this.#snapshots.take(this.#mvcc, meta, this.#stop.signal);
        if (this.#stop.signal.aborted) return;
        const keepFrom = Math.max(1, meta.index - this.options.keptEntries + 1) as LogIndex;
        this.#guard(() => this.#step({ kind: 'snapshotTaken', snapshot: meta, keepFrom }));
      } catch (error) {
        this.#fatal(error);
      }
    };
    this.#snapshotting = take();
  }

  #send(message: Message): void {
    if (message.kind !== 'snapshot') this.#parts.peers.send(message);
    else void this.#sendSnapshot(message);
  }

  async #sendSnapshot(message: MessageOf<'snapshot'>): Promise<void> {
    let delivered = false;
    try {
      const loaded = await this.#snapshots.load();
      if (loaded !== undefined) {
        delivered = await this.#parts.peers.sendSnapshot({ ...message, snapshot: loaded.meta }, loaded.chunks);
      }
    } catch (error) {
      this.#parts.logger.warn({ err: error, peer: message.to }, 'snapshot not delivered');
    }
    this.#guard(() => this.#step({ kind: 'snapshotSent', peer: message.to, delivered }));
  }

  async #receiveSnapshot(message: MessageOf<'snapshot'>, chunks: AsyncIterable<Buffer>): Promise<void> {
    const mvcc = await this.#snapshots.receive(message.snapshot, chunks);
    this.#received = { meta: message.snapshot, mvcc };
    this.#guard(() => this.#receive(message));
    this.#received = undefined;
  }

  #install(meta: SnapshotMeta): void {
    const received = this.#received;
    if (received?.meta.index !== meta.index) throw new Error(`Snapshot ${meta.index} is to be installed but not here`);
    this.#mvcc.watches.moveTo(received.mvcc.watches);
    this.#mvcc = received.mvcc;
    this.#applied = meta.index;
    this.#appliedTerm = meta.term;
    this.#parts.logger.info({ index: meta.index, revision: this.#mvcc.revision }, 'snapshot installed');
    this.#snapshots.installed(meta).catch((error: unknown) => this.#fatal(error));
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

function adds(command: Extract<Command, { kind: 'txn' }>): boolean {
  const { success = [], failure = [] } = command.request;
  return [...success, ...failure].some((op) => op.kind === 'put' || (op.kind === 'txn' && adds(op)));
}
