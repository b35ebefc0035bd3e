import type { NodeId } from '../raft/types.ts';
import { ForeignData } from '../wal/recovery.ts';
import { ClusterState } from './cluster-state.ts';
import type { ReplicaOptions, ReplicaParts } from './options.ts';
import { recoverMember } from './recovery.ts';
import { Replica } from './replica.ts';

/**
 * Starts a member whose identity is given, as tests and the simulation need it; a server's follows from its flags.
 * @param options with the voters of a new cluster
 * @throws CorruptFile, ForeignData, or the disk's error
 */
export async function startReplica(
  options: ReplicaOptions & { readonly voters: readonly NodeId[] },
  parts: ReplicaParts,
): Promise<Replica> {
  const { clusterId, memberId, voters } = options;
  const named = voters.map((id) => ({ id, name: `member-${id}`, peerUrls: [], clientUrls: [] }));
  const founding = { identity: { clusterId, memberId }, cluster: new ClusterState('', named) };
  const recovered = await recoverMember(parts.disk, () => founding, parts.logger);
  const { identity } = recovered;
  if (identity.clusterId !== clusterId || identity.memberId !== memberId) {
    throw new ForeignData(`Cannot use ${parts.disk.path}: it belongs to member ${identity.memberId}`);
  }
  return Replica.resume(options, parts, recovered);
}
