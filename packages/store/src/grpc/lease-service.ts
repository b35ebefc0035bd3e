import { isRefusal } from '../mvcc/refusal.ts';
import type { CommandResponse } from '../replica/command.ts';
import type { Answer } from '../replica/waiters.ts';
import { ByteReader } from '../schema/bytes.ts';
import type { LeaseId, LeaseKeepAliveResponse } from '../schema/messages.ts';
import {
  leaseGrantRequest,
  leaseGrantResponse,
  leaseIdRequest,
  leaseKeepAliveResponse,
  leaseRevokeResponse,
  leaseTimeToLiveRequest,
  leaseTimeToLiveResponse,
} from '../schema/other-codecs.ts';
import { leaseList, nothing } from './codecs.ts';
import { type GrpcMethod, unary } from './method.ts';
import type { ServiceParts } from './services.ts';
import { OK, statusOf } from './status.ts';

export function leaseMethods(parts: ServiceParts): Readonly<Record<string, GrpcMethod>> {
  const { requests, replica, facts } = parts;
  return {
    LeaseGrant: unary(facts, leaseGrantRequest, leaseGrantResponse, (request, answer) =>
      requests.leaseGrant(request, answer as Answer<object> as Answer<CommandResponse>),
    ),
    LeaseRevoke: unary(facts, leaseIdRequest, leaseRevokeResponse, (request, answer, encoded) =>
      requests.command({ kind: 'leaseRevoke', request }, encoded, answer as Answer<object> as Answer<CommandResponse>),
    ),
    LeaseTimeToLive: unary(facts, leaseTimeToLiveRequest, leaseTimeToLiveResponse, ({ id, keys }, answer) =>
      requests.leaseTimeToLive(id, keys === true, answer),
    ),
    LeaseLeases: unary(facts, nothing, leaseList, (_, answer) =>
      replica.read((refusal) => {
        const { mvcc } = replica;
        answer(refusal ?? { revision: mvcc.revision, leases: [...mvcc.leases.all()].map(({ id }) => ({ id })) });
      }),
    ),
    LeaseKeepAlive: keepAlive(parts),
  };
}

/** One stream renews any number of leases; a lease that does not exist is answered with no time to live. */
function keepAlive(parts: ServiceParts): GrpcMethod {
  const { requests, replica, facts } = parts;
  return (call) => {
    const lost = { leaderLost: () => call.requiresLeader && call.finish(statusOf({ refused: 'noLeader' })) };
    parts.watches.add(lost);
    const send = (answer: LeaseKeepAliveResponse) =>
      call.send((writer) => leaseKeepAliveResponse.write(writer, answer, facts()));
    let unanswered = 0;
    let ending = false;
    const endIfDone = () => {
      if (ending && unanswered === 0) call.finish(OK);
    };
    return {
      message(bytes) {
        const { id } = leaseIdRequest.read(new ByteReader(bytes));
        unanswered++;
        requests.leaseKeepAlive(id, (outcome) => {
          unanswered--;
          if (!isRefusal(outcome)) send(outcome);
          else if (outcome.refused !== 'leaseNotFound') call.finish(statusOf(outcome));
          else send({ revision: replica.mvcc.revision, id: id as LeaseId, ttlSeconds: 0 });
          endIfDone();
        });
      },
      halfClosed() {
        ending = true;
        endIfDone();
      },
      closed: () => parts.watches.delete(lost),
    };
  };
}
