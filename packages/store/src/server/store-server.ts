import { join } from 'node:path';
import { connect, createSecureContext } from 'node:tls';
import type { Clock, Health, Logger, Metrics, Random } from '@wherry/daemon';
import { createEtcdApi, type EtcdApi } from '../grpc/etcd-api.ts';
import { NOBODY, type NodeId } from '../raft/types.ts';
import { type ReplicaOptions, replicaDefaults } from '../replica/options.ts';
import { type Founding, type RecoveredMember, recoverMember } from '../replica/recovery.ts';
import { Replica } from '../replica/replica.ts';
import { Ticker } from '../replica/ticker.ts';
import { PEER_PROTOCOL } from '../schema/limits.ts';
import { lockDirectory } from '../wal/data-lock.ts';
import { openRealDisk } from '../wal/real-disk.ts';
import type { WalIdentity } from '../wal/wal.ts';
import type { ClientDoor } from './client-door.ts';
import { type Listener, listenForClients, type TlsFiles } from './client-listener.ts';
import { addressOf, type ClusterFlags, checkDirectory, foundCluster } from './identity.ts';
import { foundByAsking } from './joining.ts';
import { type AskMember, answerMember, LeaseForwarding } from './lease-forwarding.ts';
import { MemberOperations } from './member-operations.ts';
import { PeerHub } from './peer-hub.ts';
import { publishAttributes } from './publish.ts';
import { Requests } from './requests.ts';
import { addStoreMetrics, measuredDisk } from './store-metrics.ts';

/** Election timeouts without a leader before watches are ended (etcd's number). */
const ELECTIONS_WITHOUT_LEADER_MAX = 3;

export interface StoreServerOptions
  extends ClusterFlags,
    Pick<ReplicaOptions, 'heartbeatMs' | 'electionMs' | 'quotaBytes' | 'snapshotCount'> {
  readonly listenClientUrls: readonly string[];
  readonly advertiseClientUrls: readonly string[];
  readonly listenPeerUrl: string;
  /** With an empty directory: as a member that others have added, not as one of a new cluster. */
  readonly joinsExisting?: boolean;
  /** Where the others are told to find this member; empty: as they knew it before. */
  readonly advertisePeerUrls: readonly string[];
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

/** A new member of a cluster that runs asks the others who it is; a new cluster's members know it from their flags. */
function found(
  options: StoreServerOptions,
  known: WalIdentity | undefined,
  { clock, logger }: StoreServerParts,
): Founding | Promise<Founding> {
  if (known !== undefined || !options.joinsExisting) return foundCluster(options, known);
  const secureContext = createSecureContext({ ...options.peerTls, minVersion: 'TLSv1.3' });
  return foundByAsking(options, {
    connect: (address) => connect({ ...address, secureContext, ALPNProtocols: [PEER_PROTOCOL] }),
    clock,
    logger,
    ownPeerUrls: options.advertisePeerUrls,
  });
}

/** A whole member: recovered, talking to its peers, serving clients. What was opened is closed if a later step fails. */
export async function startStoreServer(options: StoreServerOptions, parts: StoreServerParts): Promise<StoreServer> {
  const { clock, random, logger, metrics, health, onFatal } = parts;
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    opened.push(await lockDirectory(options.dataDir, parts.pid));
    const disk = measuredDisk(await openRealDisk(join(options.dataDir, 'member')), metrics, () => clock.monotonicMs());
    const recovered = await recoverMember(disk, (known) => found(options, known, parts), logger);
    opened.push(() => recovered.wal.close());
    checkDirectory(options, recovered);
    const { identity } = recovered;
    const peers = await openPeers(options, recovered, parts);
    opened.push(() => peers.close());
    const { heartbeatMs, electionMs, quotaBytes, snapshotCount } = options;
    const memberId = identity.memberId as NodeId;
    const limits = { ...replicaDefaults, heartbeatMs, electionMs, quotaBytes, snapshotCount };
    const replica = Replica.resume(
      { clusterId: identity.clusterId, memberId, ...limits },
      { disk, peers, clock, random, logger, onFatal },
      recovered,
    );
    opened.push(() => replica.close());
    opened.push(publishAttributes(replica, clock, options));
    addStoreMetrics(metrics, replica);
    health.addReady('leader', () => (replica.raft.leader === NOBODY ? 'no leader' : undefined));
    health.addReady('space', () => (replica.hasSpace ? undefined : 'NOSPACE alarm'));
    const doors = new Set<ClientDoor>();
    const requests = new Requests(replica, random);
    const ask: AskMember = (member, question) => peers.ask(member, question);
    requests.forwardWith(new LeaseForwarding(replica, ask));
    const cluster = new MemberOperations({ replica, requests, ask, clock, random });
    peers.answerWith((question) => cluster.answer(question) ?? answerMember(requests, question));
    const onRequest = countRequests(metrics);
    const grpc = createEtcdApi({ replica, requests, cluster, clock, logger, onRequest });
    const door = { replica, requests, clock, logger, doors, grpc, onRequest };
    const clients: Listener[] = [];
    opened.push(endWatchesWithoutLeader(replica, doors, grpc, clock));
    for (const url of options.listenClientUrls) {
      const listener = await listenForClients(addressOf(url), options.clientTls, door);
      opened.push(() => listener.close());
      clients.push(listener);
    }
    logger.info(
      { member: memberId.toString(16), cluster: identity.clusterId.toString(16), revision: replica.mvcc.revision },
      'serving',
    );
    return { replica, clients, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function openPeers(
  options: StoreServerOptions,
  { identity }: RecoveredMember,
  { clock, random, logger }: StoreServerParts,
): Promise<PeerHub> {
  return PeerHub.open({
    clusterId: identity.clusterId,
    self: identity.memberId as NodeId,
    life: 1 + random.integer(2 ** 48),
    ownPeerUrls: options.advertisePeerUrls,
    flagUrls: new Map(options.initialCluster.map(({ name, peerUrl }) => [name, peerUrl])),
    listen: addressOf(options.listenPeerUrl),
    tls: options.peerTls,
    allowedCommonName: options.peerCommonName,
    clock,
    logger,
  });
}

/**
 * A member that has no leader for long is cut off from the others, and its watches would go on in silence: they are
 * ended, so that their readers look for a member that is not (etcd's require-leader).
 */
function endWatchesWithoutLeader(
  replica: Replica,
  doors: ReadonlySet<ClientDoor>,
  grpc: EtcdApi,
  clock: Clock,
): () => Promise<void> {
  const everyMs = replica.options.electionMs;
  let leaderless = 0;
  const ticker = new Ticker(clock, everyMs, () => {
    leaderless = replica.raft.leader === NOBODY ? leaderless + 1 : 0;
    if (leaderless !== ELECTIONS_WITHOUT_LEADER_MAX) return;
    for (const door of doors) door.endWatches('noLeader');
    grpc.leaderLost();
  });
  ticker.start();
  return async () => ticker.stop();
}

function countRequests(metrics: Metrics): () => void {
  const counter = metrics.counter('wherry_store_client_requests_total', 'Frames received from clients.');
  return () => counter.inc();
}
