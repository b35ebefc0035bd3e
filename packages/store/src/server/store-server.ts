import { join } from 'node:path';
import type { Clock, Health, Logger, Metrics, Random } from '@wherry/daemon';
import { NOBODY } from '../raft/types.ts';
import { type ReplicaOptions, replicaDefaults } from '../replica/options.ts';
import { noPeers } from '../replica/peers.ts';
import { Replica } from '../replica/replica.ts';
import { Ticker } from '../replica/ticker.ts';
import { lockDirectory } from '../wal/data-lock.ts';
import { openRealDisk } from '../wal/real-disk.ts';
import type { ClientDoor } from './client-door.ts';
import { type Listener, listenForClients, type TlsFiles } from './client-listener.ts';
import { addressOf, clusterIdOf, type InitialMember, memberIdOf } from './identity.ts';
import { PeerHub } from './peer-hub.ts';
import { Requests } from './requests.ts';
import { addStoreMetrics, measuredDisk } from './store-metrics.ts';

/** Election timeouts without a leader before watches are ended (etcd's number). */
const ELECTIONS_WITHOUT_LEADER_MAX = 3;

export interface StoreServerOptions
  extends Pick<ReplicaOptions, 'heartbeatMs' | 'electionMs' | 'quotaBytes' | 'snapshotCount'> {
  readonly name: string;
  readonly dataDir: string;
  readonly initialCluster: readonly InitialMember[];
  readonly initialClusterToken: string;
  readonly listenClientUrls: readonly string[];
  readonly listenPeerUrl: string;
  readonly clientTls: TlsFiles;
  readonly peerTls: TlsFiles;
  readonly peerCommonName: string | undefined;
}

export interface StoreServerParts {
  readonly pid: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly onFatal: (error: unknown) => void;
}

export interface StoreServer {
  readonly replica: Replica;
  /** Where clients are listened to, as bound. */
  readonly clients: readonly Listener[];
  close(): Promise<void>;
}

/** A whole member: recovered, talking to its peers, serving clients. What was opened is closed if a later step fails. */
export async function startStoreServer(options: StoreServerOptions, parts: StoreServerParts): Promise<StoreServer> {
  const { clock, random, logger, metrics, health, onFatal } = parts;
  const { initialCluster, initialClusterToken: token } = options;
  const self = initialCluster.find((member) => member.name === options.name);
  if (self === undefined)
    throw new Error(`--initial-cluster has no member "${options.name}", which --name says we are`);
  const memberId = memberIdOf(self, token);
  const clusterId = clusterIdOf(initialCluster, token);
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    opened.push(await lockDirectory(options.dataDir, parts.pid));
    const peers = await openPeers(options, { clusterId, memberId }, parts);
    if (peers !== undefined) opened.push(() => peers.close());
    const disk = measuredDisk(await openRealDisk(join(options.dataDir, 'member')), metrics, () => clock.monotonicMs());
    const voters = initialCluster.map((member) => memberIdOf(member, token));
    const { heartbeatMs, electionMs, quotaBytes, snapshotCount } = options;
    const limits = { ...replicaDefaults, heartbeatMs, electionMs, quotaBytes, snapshotCount };
    const replica = await Replica.start(
      { clusterId, memberId, voters, ...limits },
      { disk, peers: peers ?? noPeers, clock, random, logger, onFatal },
    );
    opened.push(() => replica.close());
    addStoreMetrics(metrics, replica);
    health.addReady('leader', () => (replica.raft.leader === NOBODY ? 'no leader' : undefined));
    health.addReady('space', () => (replica.hasSpace ? undefined : 'NOSPACE alarm'));
    const doors = new Set<ClientDoor>();
    const requests = new Requests(replica, random);
    const door = { replica, requests, clock, logger, doors, onRequest: countRequests(metrics) };
    const clients: Listener[] = [];
    opened.push(endWatchesWithoutLeader(replica, doors, clock));
    for (const url of options.listenClientUrls) {
      const listener = await listenForClients(addressOf(url), options.clientTls, door);
      opened.push(() => listener.close());
      clients.push(listener);
    }
    logger.info(
      { member: memberId.toString(16), cluster: clusterId.toString(16), revision: replica.mvcc.revision },
      'serving',
    );
    return { replica, clients, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A member alone needs no peer door. */
async function openPeers(
  options: StoreServerOptions,
  identity: { readonly clusterId: number; readonly memberId: ReturnType<typeof memberIdOf> },
  parts: StoreServerParts,
): Promise<PeerHub | undefined> {
  const { initialCluster, initialClusterToken } = options;
  if (initialCluster.length === 1) return undefined;
  const others = initialCluster
    .filter((member) => member.name !== options.name)
    .map((member) => ({ id: memberIdOf(member, initialClusterToken), ...addressOf(member.peerUrl) }));
  return PeerHub.open({
    clusterId: identity.clusterId,
    self: identity.memberId,
    others,
    listen: addressOf(options.listenPeerUrl),
    tls: options.peerTls,
    allowedCommonName: options.peerCommonName,
    clock: parts.clock,
    logger: parts.logger,
  });
}

/**
 * A member that has no leader for long is cut off from the others, and its watches would go on in silence: they are
 * ended, so that their readers look for a member that is not (etcd's require-leader).
 */
function endWatchesWithoutLeader(replica: Replica, doors: ReadonlySet<ClientDoor>, clock: Clock): () => Promise<void> {
  const everyMs = replica.options.electionMs;
  let leaderless = 0;
  const ticker = new Ticker(clock, everyMs, () => {
    leaderless = replica.raft.leader === NOBODY ? leaderless + 1 : 0;
    if (leaderless === ELECTIONS_WITHOUT_LEADER_MAX) for (const door of doors) door.endWatches('noLeader');
  });
  ticker.start();
  return async () => ticker.stop();
}

function countRequests(metrics: Metrics): () => void {
  const counter = metrics.counter('wherry_store_client_requests_total', 'Frames received from clients.');
  return () => counter.inc();
}
