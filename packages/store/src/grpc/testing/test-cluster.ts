import type { Refusal } from '../../mvcc/refusal.ts';
import type { Requests } from '../../server/requests.ts';
import type { ServiceParts } from '../services.ts';

/** A cluster of one, for tests of the door: whatever needs others is refused. */
export function testCluster(requests: Requests): ServiceParts['cluster'] {
  const refused = async (): Promise<Refusal> => ({ refused: 'memberNotFound' });
  return {
    status: () => requests.status(),
    memberList: async () => [{ id: 1, name: 'one', peerUrls: [], clientUrls: [], isLearner: false }],
    memberAdd: refused,
    memberRemove: refused,
    memberUpdate: refused,
    memberPromote: refused,
    moveLeader: refused,
    alarm: async () => [],
  };
}
