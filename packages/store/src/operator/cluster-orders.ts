import {
  empty,
  type MemberMessage,
  memberAdded,
  memberAddRequest,
  memberIdRequest,
  memberListRequest,
  membersAnswer,
  memberUpdateRequest,
  nothing,
  statusAnswer,
} from '../grpc/codecs.ts';
import { storeErrors } from '../schema/errors.ts';
import { CallFailed, type GrpcClient } from './grpc-client.ts';
import type { OrderOf } from './orders.ts';

type MemberOrder = OrderOf<'memberList' | 'memberAdd' | 'memberRemove' | 'memberUpdate' | 'memberPromote'>;

/** Members with their ids as etcd shows them. */
function shown(members: readonly MemberMessage[]): object {
  return { members: members.map((member) => ({ ...member, id: member.id.toString(16) })) };
}

export async function changeMembers(client: GrpcClient, order: MemberOrder): Promise<object> {
  const idOf = async (member: string) => memberNamed(await listMembers(client), member).id;
  switch (order.kind) {
    case 'memberList':
      return shown(await listMembers(client));
    case 'memberAdd': {
      const { peerUrls, isLearner } = order;
      const added = await client.unary('Cluster/MemberAdd', memberAddRequest, { peerUrls, isLearner }, memberAdded);
      return { ...shown(added.members), added: added.member.id.toString(16) };
    }
    case 'memberRemove':
    case 'memberPromote': {
      const method = order.kind === 'memberRemove' ? 'Cluster/MemberRemove' : 'Cluster/MemberPromote';
      const request = { id: await idOf(order.member) };
      return shown((await client.unary(method, memberIdRequest, request, membersAnswer)).members);
    }
    case 'memberUpdate': {
      const request = { id: await idOf(order.member), peerUrls: order.peerUrls };
      return shown((await client.unary('Cluster/MemberUpdate', memberUpdateRequest, request, membersAnswer)).members);
    }
  }
}

/** Each endpoint's own view; one that does not answer says why. */
export async function statusOfAll(clients: readonly GrpcClient[]): Promise<object> {
  const members = await Promise.all(
    clients.map(async (client) => {
      try {
        const [status, list] = await Promise.all([
          client.unary('Maintenance/Status', nothing, {}, statusAnswer),
          client.unary('Cluster/MemberList', memberListRequest, { linearizable: false }, membersAnswer),
        ]);
        const own = list.members.find(({ clientUrls }) => clientUrls.includes(client.url));
        return { endpoint: client.url, member: own?.name ?? '', ...status, leader: status.leader === own?.id };
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
        return { endpoint: client.url, error: error.message };
      }
    }),
  );
  return { members };
}

/** Only the member that leads can hand leadership over: it is looked for. */
export async function moveLeader(clients: readonly GrpcClient[], member: string): Promise<object> {
  return askLeader(clients, async (client) => {
    const { id, name } = memberNamed(await listMembers(client), member);
    await client.unary('Maintenance/MoveLeader', memberIdRequest, { id }, empty);
    return { leader: name };
  });
}

/** Asks one member after the other until one does not send us on; what it refuses then is final. */
export async function askLeader(
  clients: readonly GrpcClient[],
  ask: (client: GrpcClient) => Promise<object>,
): Promise<object> {
  let last: CallFailed | undefined;
  for (const client of clients) {
    try {
      return await ask(client);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      last = error;
      if (error.code !== 0 && error.message !== storeErrors.notLeader.message) break;
    }
  }
  throw last ?? new Error('no endpoint is given');
}

async function listMembers(client: GrpcClient): Promise<readonly MemberMessage[]> {
  return (await client.unary('Cluster/MemberList', memberListRequest, { linearizable: true }, membersAnswer)).members;
}

function memberNamed(members: readonly MemberMessage[], wanted: string): MemberMessage {
  const found = members.find(({ id, name }) => name === wanted || id.toString(16) === wanted.toLowerCase());
  if (found !== undefined) return found;
  const known = members.map(({ id, name }) => `${name} (${id.toString(16)})`).join(', ');
  throw new Error(`There is no member "${wanted}": there are ${known}`);
}
