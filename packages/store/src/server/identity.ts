import { createHash } from 'node:crypto';
import type { NodeId } from '../raft/types.ts';
import { ClusterState, type Member } from '../replica/cluster-state.ts';
import type { Founding, RecoveredMember } from '../replica/recovery.ts';
import { ForeignData } from '../wal/recovery.ts';
import type { WalIdentity } from '../wal/wal.ts';

export const INITIAL_CLUSTER_TOKEN = 'etcd-cluster';

/** A member as `--initial-cluster` names it. */
export interface InitialMember {
  readonly name: string;
  readonly peerUrl: string;
}

/** What the flags say of the cluster. */
export interface ClusterFlags {
  readonly name: string;
  readonly dataDir: string;
  readonly initialCluster: readonly InitialMember[];
  /** Undefined if not given: then any will do for a member that has data. */
  readonly initialClusterToken: string | undefined;
}

/** Reads `name=https://host:port,…`. @throws Error naming what is wrong */
export function parseInitialCluster(text: string): InitialMember[] {
  const members = text.split(',').map((part) => {
    const at = part.indexOf('=');
    const name = part.slice(0, Math.max(0, at)).trim();
    const peerUrl = part.slice(at + 1).trim();
    if (at < 1 || !URL.canParse(peerUrl)) throw new Error(`Cannot read "${part}" in --initial-cluster: want name=url`);
    return { name, peerUrl };
  });
  const names = new Set(members.map((member) => member.name));
  if (names.size !== members.length) throw new Error(`--initial-cluster names a member twice: ${text}`);
  return members;
}

/**
 * Who a member without a usable log is: for a new cluster what all members are told alike, so that they agree. Not
 * their addresses, which may change; for a directory of an earlier version those it was made with.
 * @param known whose directory it is, if it is not empty
 * @throws Error, ForeignData
 */
export function foundCluster(flags: ClusterFlags, known: WalIdentity | undefined): Founding {
  const { name, initialCluster, initialClusterToken: token = INITIAL_CLUSTER_TOKEN } = flags;
  const self = initialCluster.find((member) => member.name === name);
  if (self === undefined) throw new Error(`--initial-cluster has no member "${name}", which --name says we are`);
  const found = (idOf: (member: InitialMember) => number): Founding => {
    const founders = initialCluster.map((member) => memberOf(idOf(member) as NodeId, member));
    const identity = { memberId: idOf(self), clusterId: clusterIdOf(founders.map(({ id }) => id)) };
    return { identity, cluster: new ClusterState(token, founders) };
  };
  if (known === undefined) return found((member) => hash(`${member.name} ${token}`));
  for (const former of [token, INITIAL_CLUSTER_TOKEN]) {
    const founding = found((member) => hash(`${member.name} ${member.peerUrl} ${former}`));
    const { memberId, clusterId } = founding.identity;
    if (known.memberId === memberId && known.clusterId === clusterId) return founding;
  }
  throw new ForeignData(
    `Cannot use ${flags.dataDir}: it belongs to member ${known.memberId.toString(16)} of cluster ` +
      `${known.clusterId.toString(16)}, which these flags do not mean. It was made by an earlier version, for which a ` +
      'member was its address: start it once more with its former --name, --initial-cluster and --initial-cluster-token',
  );
}

/** @throws ForeignData if the directory is not that of the member the flags mean */
export function checkDirectory(flags: ClusterFlags, { identity, cluster }: RecoveredMember): void {
  const { name, dataDir, initialClusterToken: token } = flags;
  const own = cluster.member(identity.memberId as NodeId);
  const owner = `member "${own?.name ?? ''}" of cluster ${identity.clusterId.toString(16)}`;
  if (cluster.isRemoved(identity.memberId as NodeId)) throw new ForeignData(removedText(identity.memberId as NodeId));
  if (own !== undefined && own.name !== '' && own.name !== name) {
    throw new ForeignData(`Cannot use ${dataDir}: it belongs to ${owner}, but --name says "${name}"`);
  }
  if (token !== undefined && cluster.token !== token) {
    throw new ForeignData(
      `Cannot use ${dataDir}: it belongs to ${owner}, made with the token "${cluster.token}", ` +
        `but --initial-cluster-token says "${token}"`,
    );
  }
}

export function removedText(id: NodeId): string {
  return `Member ${id.toString(16)} has been permanently removed from the cluster: to take it back, add it as a new member with an empty data directory`;
}

function memberOf(id: NodeId, { name, peerUrl }: InitialMember): Member {
  return { id, name, peerUrls: [peerUrl], clientUrls: [] };
}

function clusterIdOf(ids: readonly NodeId[]): number {
  return hash([...ids].sort((a, b) => a - b).join(' '));
}

/** 52 bits, never 0: fits a double, and everything of ours that has ids. */
function hash(text: string): number {
  const digest = createHash('sha256').update(text).digest();
  return digest.readUIntBE(0, 6) * 16 + (digest.readUInt8(6) >> 4) + 1;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Host and port of a listen or peer URL; https only. @throws Error */
export function addressOf(url: string): Address {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'https:') throw new Error(`Cannot use ${url}: the store speaks https only`);
  if (port === '') throw new Error(`Cannot use ${url}: it has no port`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}
