import type { Clock } from '@wherry/daemon';
import type { Refusal } from '../mvcc/refusal.ts';
import { NOBODY, type NodeId } from '../raft/types.ts';
import type { Replica } from '../replica/replica.ts';
import type { StatusResponse } from '../schema/messages.ts';
import type { Alarm, AlarmAction, ClusterOperations, MemberInfo } from '../server/cluster-operations.ts';
import type { Requests } from '../server/requests.ts';

const POLL_MS = 10;

/** A cluster whose members are those it was made with: what can be changed of it is who leads. */
export class FixedCluster implements Omit<ClusterOperations, 'snapshot' | 'hashKv' | 'defragment'> {
  readonly #replica: Replica;
  readonly #requests: Requests;
  readonly #members: readonly MemberInfo[];
  readonly #clock: Clock;

  constructor(replica: Replica, requests: Requests, members: readonly MemberInfo[], clock: Clock) {
    this.#replica = replica;
    this.#requests = requests;
    this.#members = members;
    this.#clock = clock;
  }

  status(): StatusResponse {
    return this.#requests.status();
  }

  async memberList(): Promise<readonly MemberInfo[]> {
    return this.#members;
  }

  async memberAdd(): Promise<Refusal> {
    return { refused: 'unimplemented' };
  }

  async memberRemove(): Promise<Refusal> {
    return { refused: 'unimplemented' };
  }

  async memberUpdate(): Promise<Refusal> {
    return { refused: 'unimplemented' };
  }

  async memberPromote(): Promise<Refusal> {
    return { refused: 'unimplemented' };
  }

  async moveLeader(id: number): Promise<Refusal | undefined> {
    const replica = this.#replica;
    if (!replica.isLeader) return { refused: 'notLeader' };
    if (!this.#members.some((member) => member.id === id)) return { refused: 'badLeaderTransferee' };
    replica.transfer(id as NodeId);
    const untilMs = this.#clock.monotonicMs() + 2 * replica.options.electionMs;
    while (replica.raft.leader !== id) {
      if (this.#clock.monotonicMs() > untilMs) return { refused: 'timeout' };
      await this.#clock.sleep(POLL_MS);
    }
    return replica.raft.leader === NOBODY ? { refused: 'noLeader' } : undefined;
  }

  async alarm({ action }: AlarmAction): Promise<readonly Alarm[] | Refusal> {
    if (action !== 'get') return { refused: 'unimplemented' };
    return this.#replica.hasSpace ? [] : [{ memberId: this.#replica.options.memberId, alarm: 'NOSPACE' }];
  }
}
