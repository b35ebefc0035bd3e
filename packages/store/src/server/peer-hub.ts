import { connect, createSecureContext, createServer, type SecureContext, type TLSSocket } from 'node:tls';
import type { Clock, Logger } from '@wherry/daemon';
import type { Message, MessageOf, NodeId } from '../raft/types.ts';
import type { ClusterState } from '../replica/cluster-state.ts';
import type { PeerEvents, Peers } from '../replica/peers.ts';
import { PEER_PROTOCOL } from '../schema/limits.ts';
import { type Listener, listen, type TlsFiles } from './client-listener.ts';
import { type Address, addressOf, removedText } from './identity.ts';
import { writeClusterOf } from './joining.ts';
import type { Hello, Shunned } from './peer-frames.ts';
import { PeerInbox } from './peer-inbox.ts';
import { PeerLink } from './peer-link.ts';

/** A process that was connected as a member has so long to say that it lives, before another may be that member. */
const TWIN_MS_MAX = 500;
/** A member that was removed is listened to so much longer: it may have passed on the very request, and wait for its answer. */
const REMOVED_MS = 500;

export interface PeerHubOptions {
  readonly clusterId: number;
  readonly self: NodeId;
  /** Drawn at each start of the process. */
  readonly life: number;
  /** Where the others are told to find us. */
  readonly ownPeerUrls: readonly string[];
  /** Where the flags say that members listen, by name: newer than what the cluster has agreed on, or older. */
  readonly flagUrls: ReadonlyMap<string, string>;
  readonly listen: Address;
  readonly tls: TlsFiles;
  /** Common name that members' certificates must carry: keeps out others whom the same CA has signed. */
  readonly allowedCommonName: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Connections among members: one outgoing link to each, which only sends, and whatever the others open to us. Where a
 * member is, is known from three sides: what it said when it connected to us, our flags, and what the cluster has
 * agreed on; they are tried in turn, and whoever answers must be the member that was meant.
 */
export class PeerHub implements Peers {
  readonly #options: PeerHubOptions;
  /** Made once: a failover waits for an attempt to connect again. */
  readonly #secureContext: SecureContext;
  readonly #links = new Map<NodeId, PeerLink>();
  readonly #sockets = new Set<TLSSocket>();
  readonly #inboxes = new Set<PeerInbox>();
  /** From members' own mouths, since we started. */
  readonly #learned = new Map<NodeId, readonly string[]>();
  #cluster: ClusterState | undefined;
  #listener: Listener | undefined;
  #events: PeerEvents | undefined;
  #answer: ((question: Buffer) => Promise<Buffer>) | undefined;

  /** Listens; nothing is heard or sent before `start`. */
  static async open(options: PeerHubOptions): Promise<PeerHub> {
    const hub = new PeerHub(options);
    await hub.#listen();
    return hub;
  }

  private constructor(options: PeerHubOptions) {
    this.#options = options;
    this.#secureContext = createSecureContext({ ...options.tls, minVersion: 'TLSv1.3' });
  }

  start(events: PeerEvents): void {
    this.#events = events;
    this.#relink();
  }

  know(cluster: ClusterState): void {
    this.#cluster = cluster;
    this.#relink();
  }

  send(message: Message): void {
    this.#links.get(message.to)?.send(message);
  }

  async sendSnapshot(message: MessageOf<'snapshot'>, chunks: AsyncIterable<Buffer>): Promise<boolean> {
    return (await this.#links.get(message.to)?.sendSnapshot(message, chunks)) ?? false;
  }

  /** Asks a member something; undefined if it cannot be reached or does not answer. */
  ask(member: NodeId, question: Buffer): Promise<Buffer | undefined> {
    return this.#links.get(member)?.ask(question) ?? Promise.resolve(undefined);
  }

  /** How questions of other members are answered; until this is called they wait for nothing. */
  answerWith(answer: (question: Buffer) => Promise<Buffer>): void {
    this.#answer = answer;
  }

  async close(): Promise<void> {
    for (const link of this.#links.values()) link.close();
    await this.#listener?.close();
  }

  /** One link to each member, and to each that has connected to us: it may be one that we have yet to hear of. */
  #relink(): void {
    const cluster = this.#cluster;
    if (cluster === undefined || this.#events === undefined) return;
    const wanted = new Set([...cluster.members.map(({ id }) => id), ...this.#learned.keys()]);
    wanted.delete(this.#options.self);
    for (const id of wanted) {
      if (!cluster.isRemoved(id) && !this.#links.has(id)) this.#link(id, this.#events);
    }
    if ([...this.#links.keys()].some((id) => cluster.isRemoved(id))) {
      this.#options.clock.setTimer(REMOVED_MS, () => this.#cutRemoved());
    }
  }

  /** Coming back they are told that they are members no more. */
  #cutRemoved(): void {
    const isRemoved = (id: NodeId | undefined) => id !== undefined && this.#cluster?.isRemoved(id) === true;
    for (const [id, link] of this.#links) {
      if (!isRemoved(id)) continue;
      this.#links.delete(id);
      link.close();
    }
    for (const inbox of this.#inboxes) if (isRemoved(inbox.hello?.from)) inbox.close();
  }

  #link(id: NodeId, events: PeerEvents): void {
    const { clock, logger } = this.#options;
    const link = new PeerLink({
      hello: () => this.#hello(id),
      addresses: () => this.#addressesOf(id),
      open: (address) => this.#connect(address),
      refuse: (isEmpty) => (isEmpty ? this.#lostData(id) : undefined),
      clock,
      logger: logger.child({ peer: id.toString(16) }),
      onChange: (up) => events.connection(id, up),
      onShunned: ({ why, reason }) => {
        if (why !== 'elsewhere') events.shunned(reason);
      },
    });
    this.#links.set(id, link);
    link.start();
  }

  #hello(to: NodeId): Hello {
    const { clusterId, self, life, ownPeerUrls } = this.#options;
    return { clusterId, from: self, to, life, isEmpty: this.#events?.isEmpty() === true, peerUrls: ownPeerUrls };
  }

  #addressesOf(id: NodeId): readonly Address[] {
    const member = this.#cluster?.member(id);
    const flag = this.#options.flagUrls.get(member?.name ?? '');
    const flags = flag === undefined ? [] : [flag];
    const urls = [...(this.#learned.get(id) ?? []), ...flags, ...(member?.peerUrls ?? [])];
    return [...new Set(urls)].map(addressOf);
  }

  /** A member that has run before and comes without its log has forgotten its votes: it must not go on as the same. */
  #lostData(id: NodeId): Shunned | undefined {
    const member = this.#cluster?.member(id);
    if (member === undefined || member.clientUrls.length === 0) return undefined;
    const who = `Member ${id.toString(16)} ("${member.name}")`;
    const reason = `${who} has already been bootstrapped, but its data directory is empty: give it its data back, or remove it from the cluster and add it again`;
    return { why: 'lostData', reason };
  }

  async #listen(): Promise<void> {
    const { tls, logger, allowedCommonName } = this.#options;
    const server = createServer(
      { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3', ALPNProtocols: [PEER_PROTOCOL] },
      (socket) => {
        const { CN: commonName } = socket.getPeerCertificate().subject;
        if (allowedCommonName !== undefined && commonName !== allowedCommonName) {
          logger.warn({ commonName, allowedCommonName }, "peer refused: its certificate is not a member's");
          socket.destroy();
          return;
        }
        this.#accept(socket);
      },
    );
    server.on('tlsClientError', (error, socket) =>
      logger.warn({ err: error, remote: socket.remoteAddress }, 'peer refused'),
    );
    this.#listener = await listen(server, this.#options.listen, this.#sockets);
  }

  #accept(socket: TLSSocket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    const inbox: PeerInbox = new PeerInbox(socket, {
      check: (hello) => this.#check(hello, inbox),
      isEmpty: () => this.#events?.isEmpty() === true,
      describe: (writer) => {
        if (this.#cluster !== undefined) writeClusterOf(writer, this.#options.clusterId, this.#cluster);
      },
      events: () => this.#events,
      answer: (question) => this.#answer?.(question) ?? new Promise(() => undefined),
      remote: `${socket.remoteAddress}:${socket.remotePort}`,
      clock: this.#options.clock,
      logger: this.#options.logger,
    });
    this.#inboxes.add(inbox);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#inboxes.delete(inbox);
    });
    inbox.start();
  }

  /** Why the connection is not welcome; undefined if it is. */
  async #check(hello: Hello, inbox: PeerInbox): Promise<Shunned | undefined> {
    const { clusterId, self } = this.#options;
    const elsewhere = (reason: string): Shunned => ({ why: 'elsewhere', reason });
    const hex = (id: number) => id.toString(16);
    if (hello.clusterId !== clusterId) {
      return elsewhere(`cluster ID mismatch: ${hex(hello.clusterId)} is not ${hex(clusterId)}`);
    }
    if (hello.to !== self) return elsewhere(`member ${hex(hello.to)} was looked for, this is ${hex(self)}`);
    if (this.#cluster?.isRemoved(hello.from) === true) return { why: 'removed', reason: removedText(hello.from) };
    if (hello.from === self && hello.life !== this.#options.life) return twinOf(hello.from, 'this process');
    const lost = hello.isEmpty ? this.#lostData(hello.from) : undefined;
    if (lost !== undefined) return lost;
    for (const other of this.#inboxes) {
      if (other === inbox || other.hello?.from !== hello.from || other.hello.life === hello.life) continue;
      if (await other.answers(TWIN_MS_MAX)) return twinOf(hello.from, `the process connected from ${other.remote}`);
      other.close();
    }
    this.#learn(hello.from, hello.peerUrls);
    return undefined;
  }

  #learn(id: NodeId, urls: readonly string[]): void {
    const usable = urls.filter(isAddress);
    if (usable.length === 0 || this.#learned.get(id)?.join() === usable.join()) return;
    this.#learned.set(id, usable);
    this.#relink();
    this.#links.get(id)?.addressesChanged();
  }

  #connect({ host, port }: Address): TLSSocket {
    const socket = connect({ secureContext: this.#secureContext, host, port, ALPNProtocols: [PEER_PROTOCOL] });
    socket.setNoDelay(true);
    return socket;
  }
}

function twinOf(id: NodeId, who: string): Shunned {
  const reason = `Member ${id.toString(16)} is ${who} already: two processes cannot be one member, and a copied data directory makes no second one`;
  return { why: 'twin', reason };
}

function isAddress(url: string): boolean {
  try {
    addressOf(url);
    return true;
  } catch {
    return false;
  }
}
