import type { Refusal } from '../mvcc/refusal.ts';
import type { StatusResponse } from '../schema/messages.ts';

/** A member as the cluster knows it (etcd's Member). */
export interface MemberInfo {
  readonly id: number;
  /** Empty until the member has started for the first time. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** Empty until the member has started for the first time. */
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export type AlarmKind = 'NOSPACE' | 'CORRUPT';

export interface Alarm {
  readonly memberId: number;
  readonly alarm: AlarmKind;
}

export type AlarmAction =
  | { readonly action: 'get' }
  /** `memberId` 0: of every member. */
  | { readonly action: 'activate' | 'deactivate'; readonly memberId: number; readonly alarm: AlarmKind };

/**
 * What etcd's Cluster and Maintenance services do, whatever door asks for it. A refusal is an expected no, with
 * etcd's text in `storeErrors`. All but `moveLeader` may be asked of any member that has a leader.
 */
export interface ClusterOperations {
  status(): StatusResponse;
  /** @param linearizable false: what this member knows, without asking the leader */
  memberList(linearizable: boolean): Promise<readonly MemberInfo[] | Refusal>;
  /** Gives the new member and all members; it is to be started with the same peer URLs and state "existing". */
  memberAdd(
    peerUrls: readonly string[],
    isLearner: boolean,
  ): Promise<{ readonly member: MemberInfo; readonly members: readonly MemberInfo[] } | Refusal>;
  memberRemove(id: number): Promise<readonly MemberInfo[] | Refusal>;
  memberUpdate(id: number, peerUrls: readonly string[]): Promise<readonly MemberInfo[] | Refusal>;
  /** Makes a learner a voter. */
  memberPromote(id: number): Promise<readonly MemberInfo[] | Refusal>;
  /** Resolves once `id` leads. Refused by a member that does not lead. */
  moveLeader(id: number): Promise<Refusal | undefined>;
  /** Gives the alarms that are on afterwards for `get`, else those that changed. */
  alarm(request: AlarmAction): Promise<readonly Alarm[] | Refusal>;
}
