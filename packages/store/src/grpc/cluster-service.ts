import { isRefusal, type Refusal } from '../mvcc/refusal.ts';
import type { MemberInfo } from '../server/cluster-operations.ts';
import {
  type MembersAnswer,
  memberAdded,
  memberAddRequest,
  memberIdRequest,
  memberListRequest,
  membersAnswer,
  memberUpdateRequest,
} from './codecs.ts';
import { type GrpcMethod, settle, unary } from './method.ts';
import type { ServiceParts } from './services.ts';

export function clusterMethods(parts: ServiceParts): Readonly<Record<string, GrpcMethod>> {
  const { cluster, facts, logger, replica } = parts;
  const answerOf = async (asked: Promise<readonly MemberInfo[] | Refusal>): Promise<MembersAnswer | Refusal> => {
    const members = await asked;
    return isRefusal(members) ? members : { revision: replica.mvcc.revision, members };
  };
  return {
    MemberList: unary(facts, memberListRequest, membersAnswer, ({ linearizable }, answer) =>
      settle(answerOf(cluster.memberList(linearizable)), answer, logger),
    ),
    MemberAdd: unary(facts, memberAddRequest, memberAdded, ({ peerUrls, isLearner }, answer) => {
      const add = async () => {
        const added = await cluster.memberAdd(peerUrls, isLearner);
        return isRefusal(added) ? added : { revision: replica.mvcc.revision, ...added };
      };
      return settle(add(), answer, logger);
    }),
    MemberRemove: unary(facts, memberIdRequest, membersAnswer, ({ id }, answer) =>
      settle(answerOf(cluster.memberRemove(id)), answer, logger),
    ),
    MemberUpdate: unary(facts, memberUpdateRequest, membersAnswer, ({ id, peerUrls }, answer) =>
      settle(answerOf(cluster.memberUpdate(id, peerUrls)), answer, logger),
    ),
    MemberPromote: unary(facts, memberIdRequest, membersAnswer, ({ id }, answer) =>
      settle(answerOf(cluster.memberPromote(id)), answer, logger),
    ),
  };
}
