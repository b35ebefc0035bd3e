import type { Clock } from '@wherry/daemon';
import { isRefusal } from '../mvcc/refusal.ts';
import { NOBODY } from '../raft/types.ts';
import type { Member } from '../replica/cluster-state.ts';
import type { Replica } from '../replica/replica.ts';
import { Ticker } from '../replica/ticker.ts';

export interface OwnAttributes {
  readonly name: string;
  readonly advertiseClientUrls: readonly string[];
  /** Empty: as the cluster knows them. */
  readonly advertisePeerUrls: readonly string[];
}

/**
 * Makes the cluster agree on this member's name and addresses of now, which may have changed since it ran last; tried
 * until it is done. Not before something of the log is on our disk: whoever has attributes and no log has lost its data.
 * @returns gives up
 */
export function publishAttributes(replica: Replica, clock: Clock, own: OwnAttributes): () => Promise<void> {
  const id = replica.options.memberId;
  let waiting = false;
  const ticker = new Ticker(clock, replica.options.heartbeatMs, () => {
    const known = replica.cluster.member(id);
    if (waiting || known === undefined || replica.raft.leader === NOBODY || replica.applied === 0) return;
    const peerUrls = own.advertisePeerUrls.length > 0 ? own.advertisePeerUrls : known.peerUrls;
    const request = { id, name: own.name, peerUrls, clientUrls: own.advertiseClientUrls };
    if (isSame(request, known)) {
      ticker.stop();
      return;
    }
    waiting = true;
    replica.propose({ kind: 'memberAttributes', request }, undefined, (outcome) => {
      waiting = false;
      if (!isRefusal(outcome)) ticker.stop();
    });
  });
  ticker.start();
  return async () => ticker.stop();
}

function isSame(one: Member, other: Member): boolean {
  return (
    one.name === other.name &&
    one.peerUrls.join() === other.peerUrls.join() &&
    one.clientUrls.join() === other.clientUrls.join()
  );
}
