import type { Clock, Random } from '@wherry/daemon';
import { isRefusal, type Refusal } from '../mvcc/refusal.ts';
import { NOBODY, type NodeId } from '../raft/types.ts';
import type { Member } from '../replica/cluster-state.ts';
import type { CommandResponse } from '../replica/command.ts';
import type { Reconfiguration } from '../replica/reconfiguration.ts';
import type { Replica } from '../replica/replica.ts';
import type { StatusResponse } from '../schema/messages.ts';
import type { Alarm, AlarmAction, ClusterOperations, MemberInfo } from './cluster-operations.ts';
import { addressOf } from './identity.ts';
import type { AskMember } from './lease-forwarding.ts';
import { mayAddVoter, mayRemove, refusalToPromote } from './member-rules.ts';
import type { Requests } from './requests.ts';

/** First byte of a question among members (`lease-forwarding.ts` has the others): an operation for the leader. */
const OPERATION = 200;
const POLL_MS = 10;
/** etcd's --max-learners. */
const LEARNERS_MAX = 1;

type LeaderOperation =
  | { readonly kind: 'add'; readonly peerUrls: readonly string[]; readonly isLearner: boolean }
  | { readonly kind: 'remove' | 'promote'; readonly id: number }
  | { readonly kind: 'update'; readonly id: number; readonly peerUrls: readonly string[] };

/** As the leader knows it: the member asked may hear of it later, or be the one that was removed. */
interface Changed {
  readonly id: number;
  readonly members: readonly MemberInfo[];
}

export interface MemberOperationsParts {
  readonly replica: Replica;
  readonly requests: Requests;
  readonly ask: AskMember;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Who is a member, and who leads. Changes are decided by the leader, which knows best what they would cost: another
 * member passes them on.
 */
export class MemberOperations implements Omit<ClusterOperations, 'snapshot' | 'hashKv' | 'defragment'> {
  readonly #parts: MemberOperationsParts;

  constructor(parts: MemberOperationsParts) {
    this.#parts = parts;
  }

  status(): StatusResponse {
    return this.#parts.requests.status();
  }

  async memberList(linearizable: boolean): Promise<readonly MemberInfo[] | Refusal> {
    const refusal = linearizable ? await this.#readable() : undefined;
    return refusal ?? this.#members();
  }

  async memberAdd(peerUrls: readonly string[], isLearner: boolean) {
    const outcome = await this.#lead({ kind: 'add', peerUrls, isLearner });
    if (isRefusal(outcome)) return outcome;
    const member = outcome.members.find(({ id }) => id === outcome.id);
    return member === undefined ? ({ refused: 'memberNotFound' } as const) : { member, members: outcome.members };
  }

  memberRemove(id: number): Promise<readonly MemberInfo[] | Refusal> {
    return this.#changed({ kind: 'remove', id });
  }

  memberUpdate(id: number, peerUrls: readonly string[]): Promise<readonly MemberInfo[] | Refusal> {
    return this.#changed({ kind: 'update', id, peerUrls });
  }

  memberPromote(id: number): Promise<readonly MemberInfo[] | Refusal> {
    return this.#changed({ kind: 'promote', id });
  }

  async moveLeader(id: number): Promise<Refusal | undefined> {
    const { replica, clock } = this.#parts;
    if (!replica.isLeader) return { refused: 'notLeader' };
    const target = this.#members().find((member) => member.id === id);
    if (target === undefined || target.isLearner) return { refused: 'badLeaderTransferee' };
    replica.transfer(id as NodeId);
    const untilMs = clock.monotonicMs() + 2 * replica.options.electionMs;
    while (replica.raft.leader !== id) {
      if (clock.monotonicMs() > untilMs) return { refused: 'timeout' };
      await clock.sleep(POLL_MS);
    }
    return undefined;
  }

  async alarm(request: AlarmAction): Promise<readonly Alarm[] | Refusal> {
    const { cluster } = this.#parts.replica;
    if (request.action === 'get') return cluster.alarms;
    const on = request.action === 'activate';
    const { alarm } = request;
    const one = { memberId: request.memberId as NodeId, alarm };
    const meant = request.memberId !== 0 ? [one] : cluster.alarms.filter((raised) => raised.alarm === alarm);
    const changed: Alarm[] = [];
    for (const each of meant) {
      const outcome = await this.#propose({ ...each, on });
      if (isRefusal(outcome)) return outcome;
      if ('changed' in outcome && outcome.changed) changed.push(each);
    }
    return changed;
  }

  /** The leader's side: undefined if the question is none of ours. */
  answer(question: Buffer): Promise<Buffer> | undefined {
    if (question[0] !== OPERATION) return undefined;
    const operation: LeaderOperation = JSON.parse(question.subarray(1).toString());
    return this.#decide(operation).then((outcome) => Buffer.from(JSON.stringify(outcome)));
  }

  async #changed(operation: LeaderOperation): Promise<readonly MemberInfo[] | Refusal> {
    const outcome = await this.#lead(operation);
    return isRefusal(outcome) ? outcome : outcome.members;
  }

  /** Here if we lead, else by the leader. */
  async #lead(operation: LeaderOperation): Promise<Changed | Refusal> {
    const { replica, ask } = this.#parts;
    const { leader } = replica.raft;
    if (replica.isLeader) return this.#decide(operation);
    if (leader === NOBODY) return { refused: 'noLeader' };
    const question = Buffer.concat([Buffer.from([OPERATION]), Buffer.from(JSON.stringify(operation))]);
    const answer = await ask(leader, question);
    return answer === undefined ? { refused: 'timeout' } : JSON.parse(answer.toString());
  }

  async #decide(operation: LeaderOperation): Promise<Changed | Refusal> {
    const { replica } = this.#parts;
    if (!replica.isLeader) return { refused: 'leaderChanged' };
    switch (operation.kind) {
      case 'add':
        return this.#add(operation.peerUrls, operation.isLearner);
      case 'update':
        return this.#update(operation.id as NodeId, operation.peerUrls);
      case 'remove':
        return this.#remove(operation.id as NodeId);
      case 'promote': {
        const id = operation.id as NodeId;
        const refusal = refusalToPromote(replica, id);
        return refusal ?? this.#reconfigure({ change: one('addVoter', id), added: [] }, id);
      }
    }
  }

  async #add(peerUrls: readonly string[], isLearner: boolean): Promise<Changed | Refusal> {
    const { replica, random } = this.#parts;
    const { learners } = replica.raft.inspect.configuration;
    if (!areUsable(peerUrls)) return { refused: 'memberBadUrls' };
    if (isLearner && learners.length >= LEARNERS_MAX) return { refused: 'tooManyLearners' };
    if (this.#others(undefined, peerUrls)) return { refused: 'peerUrlExists' };
    const refusal = isLearner ? undefined : mayAddVoter(replica);
    if (refusal !== undefined) return refusal;
    const id = (1 + random.integer(2 ** 52)) as NodeId;
    const member: Member = { id, name: '', peerUrls, clientUrls: [] };
    return this.#reconfigure({ change: one(isLearner ? 'addLearner' : 'addVoter', id), added: [member] }, id);
  }

  async #update(id: NodeId, peerUrls: readonly string[]): Promise<Changed | Refusal> {
    const known = this.#parts.replica.cluster.member(id);
    if (!areUsable(peerUrls)) return { refused: 'memberBadUrls' };
    if (known === undefined) return { refused: 'memberNotFound' };
    if (this.#others(id, peerUrls)) return { refused: 'peerUrlExists' };
    const outcome = await this.#command({ kind: 'memberAttributes', request: { ...known, peerUrls } });
    return isRefusal(outcome) ? outcome : { id, members: this.#members() };
  }

  async #remove(id: NodeId): Promise<Changed | Refusal> {
    const refusal = mayRemove(this.#parts.replica, id);
    return refusal ?? this.#reconfigure({ change: one('remove', id), added: [] }, id);
  }

  #others(id: NodeId | undefined, urls: readonly string[]): boolean {
    const others = this.#parts.replica.cluster.members.filter((member) => member.id !== id);
    return others.some(({ peerUrls }) => peerUrls.some((url) => urls.includes(url)));
  }

  async #reconfigure(change: Reconfiguration, id: NodeId): Promise<Changed | Refusal> {
    const outcome = await new Promise<CommandResponse | Refusal>((resolve) =>
      this.#parts.replica.reconfigure(change, resolve),
    );
    return isRefusal(outcome) ? outcome : { id, members: this.#members() };
  }

  #propose(request: Alarm & { readonly on: boolean }): Promise<CommandResponse | Refusal> {
    return this.#command({ kind: 'alarm', request: { ...request, memberId: request.memberId as NodeId } });
  }

  #command(command: Parameters<Replica['propose']>[0]): Promise<CommandResponse | Refusal> {
    return new Promise((resolve) => this.#parts.replica.propose(command, undefined, resolve));
  }

  #readable(): Promise<Refusal | undefined> {
    return new Promise((resolve) => this.#parts.replica.read(resolve));
  }

  #members(): MemberInfo[] {
    const { cluster, raft } = this.#parts.replica;
    const { learners, learnersNext } = raft.inspect.configuration;
    const learning = new Set([...learners, ...learnersNext]);
    return cluster.members.map((member) => ({ ...member, isLearner: learning.has(member.id) }));
  }
}

function one(kind: 'addVoter' | 'addLearner' | 'remove', id: NodeId): Reconfiguration['change'] {
  return { transition: 'auto', changes: [{ kind, id }] };
}

function areUsable(urls: readonly string[]): boolean {
  try {
    for (const url of urls) addressOf(url);
    return urls.length > 0;
  } catch {
    return false;
  }
}
