import type { Logger } from '@wherry/daemon';
import { isRefusal } from '../mvcc/refusal.ts';
import type { Raft } from '../raft/raft.ts';
import type { Entry, LogIndex, SnapshotMeta, Term } from '../raft/types.ts';
import type { LeaseId } from '../schema/messages.ts';
import { applyCommand, type Command, type CommandResponse, decodeCommand, readTicket } from './command.ts';
import type { LeaseTimer } from './lease-timer.ts';
import type { ReplicaOptions } from './options.ts';
import type { Peers } from './peers.ts';
import { applyReconfiguration, decodeReconfiguration, refusalOf } from './reconfiguration.ts';
import type { RecoveredMember } from './recovery.ts';
import type { ReceivedState, State } from './snapshots.ts';
import type { Waiters } from './waiters.ts';

export interface ApplierParts {
  readonly options: ReplicaOptions;
  readonly raft: Raft;
  /** Answered by applying; the context is the command, to save decoding it again. */
  readonly proposals: Waiters<CommandResponse, Command | undefined>;
  readonly leases: LeaseTimer;
  readonly peers: Peers;
  readonly logger: Logger;
  /** We are no member any more, and have to go a little later: what is on its way to the others should still leave. */
  readonly removed: (reason: string) => void;
}

/** Carries out what is committed, in order, and answers those who wait for it here. */
export class Applier {
  readonly #parts: ApplierParts;
  /** Replaced as a whole when a snapshot arrives. */
  #state: State;
  #index: LogIndex;
  #term: Term;

  constructor(parts: ApplierParts, { mvcc, cluster, persisted }: RecoveredMember) {
    this.#parts = parts;
    this.#state = { mvcc, cluster };
    this.#index = persisted.snapshot.index;
    this.#term = persisted.snapshot.term;
  }

  get state(): State {
    return this.#state;
  }

  /** Of the last entry that is in the state. */
  get index(): LogIndex {
    return this.#index;
  }

  get term(): Term {
    return this.#term;
  }

  apply(entry: Entry): void {
    this.#index = entry.index;
    this.#term = entry.term;
    if (entry.kind === 'configuration') this.#reconfigure(entry);
    else if (entry.data.length > 0) this.#carryOut(entry.data);
  }

  /** Takes over a leader's state in place of ours. */
  install(meta: SnapshotMeta, { mvcc, cluster }: ReceivedState): void {
    this.#state.mvcc.watches.moveTo(mvcc.watches);
    this.#state = { mvcc, cluster: cluster ?? this.#state.cluster };
    this.#index = meta.index;
    this.#term = meta.term;
    this.#parts.peers.know(this.#state.cluster);
  }

  #carryOut(data: Buffer): void {
    const { proposals, options } = this.#parts;
    const ticket = readTicket(data);
    const own = ticket.memberId === options.memberId;
    const command = (own ? proposals.context(ticket.sequence) : undefined) ?? decodeCommand(data);
    const outcome = applyCommand(this.#state, command);
    if (!isRefusal(outcome)) this.#noteEffect(command);
    if (own) proposals.answer(ticket.sequence, outcome);
  }

  #noteEffect(command: Command): void {
    const { peers, leases, raft } = this.#parts;
    if (command.kind === 'memberAttributes') peers.know(this.#state.cluster);
    if (command.kind === 'leaseRevoke') leases.forget(command.request.id as LeaseId);
    if (command.kind === 'leaseGrant' && raft.role === 'leader') {
      leases.renew(command.request.id as LeaseId, command.request.ttlSeconds);
    }
  }

  #reconfigure(entry: Entry): void {
    const { raft, logger, peers, options, proposals } = this.#parts;
    const { cluster, mvcc } = this.#state;
    const reconfiguration = decodeReconfiguration(entry.data);
    const refusal = refusalOf(cluster, reconfiguration);
    if (refusal === undefined) applyReconfiguration(cluster, reconfiguration);
    const change = refusal === undefined ? reconfiguration.change : undefined;
    raft.step({ kind: 'configure', index: entry.index, change });
    logger.info({ index: entry.index, ...raft.inspect.configuration, refusal }, 'members changed');
    peers.know(cluster);
    const ticket = entry.data.length > 0 ? readTicket(entry.data) : undefined;
    if (ticket?.memberId === options.memberId) {
      proposals.answer(ticket.sequence, refusal ?? { revision: mvcc.revision });
    }
    if (!cluster.isRemoved(options.memberId)) return;
    logger.warn({ index: entry.index }, 'removed from the cluster');
    this.#parts.removed(`Member ${options.memberId.toString(16)} has been permanently removed from the cluster`);
  }
}
