import { connect, createServer, type TLSSocket } from 'node:tls';
import type { Clock, Logger } from '@wherry/daemon';
import type { Message, MessageOf, NodeId } from '../raft/types.ts';
import type { PeerEvents, Peers } from '../replica/peers.ts';
import { PEER_PROTOCOL } from '../schema/limits.ts';
import { type Listener, listen, type TlsFiles } from './client-listener.ts';
import { PeerInbox } from './peer-inbox.ts';
import { PeerLink } from './peer-link.ts';

export interface PeerAddress {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
}

export interface PeerHubOptions {
  readonly clusterId: number;
  readonly self: NodeId;
  /** Where the others listen. */
  readonly others: readonly PeerAddress[];
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: TlsFiles;
  /** Common name that members' certificates must carry: keeps out others whom the same CA has signed. */
  readonly allowedCommonName: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Connections among members: one outgoing link to each, which only sends, and whatever the others open to us. */
export class PeerHub implements Peers {
  readonly #options: PeerHubOptions;
  readonly #links = new Map<NodeId, PeerLink>();
  readonly #sockets = new Set<TLSSocket>();
  #listener: Listener | undefined;
  #events: PeerEvents | undefined;

  /** Listens; nothing is heard or sent before `start`. */
  static async open(options: PeerHubOptions): Promise<PeerHub> {
    const hub = new PeerHub(options);
    await hub.#listen();
    return hub;
  }

  private constructor(options: PeerHubOptions) {
    this.#options = options;
  }

  start(events: PeerEvents): void {
    this.#events = events;
    const { clusterId, self, others, clock, logger } = this.#options;
    for (const peer of others) {
      const link = new PeerLink({
        hello: { clusterId, from: self, to: peer.id },
        open: () => this.#connect(peer),
        clock,
        logger: logger.child({ peer: peer.id.toString(16) }),
        onChange: (up) => events.connection(peer.id, up),
      });
      this.#links.set(peer.id, link);
      link.start();
    }
  }

  send(message: Message): void {
    this.#links.get(message.to)?.send(message);
  }

  async sendSnapshot(message: MessageOf<'snapshot'>, chunks: AsyncIterable<Buffer>): Promise<boolean> {
    return (await this.#links.get(message.to)?.sendSnapshot(message, chunks)) ?? false;
  }

  async close(): Promise<void> {
    for (const link of this.#links.values()) link.close();
    await this.#listener?.close();
  }

  async #listen(): Promise<void> {
    const { tls, clusterId, self, logger, allowedCommonName } = this.#options;
    const server = createServer(
      { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3', ALPNProtocols: [PEER_PROTOCOL] },
      (socket) => {
        const { CN: commonName } = socket.getPeerCertificate().subject;
        if (allowedCommonName !== undefined && commonName !== allowedCommonName) {
          logger.warn({ commonName, allowedCommonName }, "peer refused: its certificate is not a member's");
          socket.destroy();
          return;
        }
        socket.setNoDelay(true);
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
        const known = (id: NodeId) => this.#options.others.some((peer) => peer.id === id);
        const inbox = new PeerInbox(socket, { clusterId, self, known, events: () => this.#events, logger });
        inbox.start();
      },
    );
    server.on('tlsClientError', (error, socket) =>
      logger.warn({ err: error, remote: socket.remoteAddress }, 'peer refused'),
    );
    this.#listener = await listen(server, this.#options.listen, this.#sockets);
  }

  #connect(peer: PeerAddress): TLSSocket {
    const { tls } = this.#options;
    const socket = connect({
      ...tls,
      host: peer.host,
      port: peer.port,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [PEER_PROTOCOL],
    });
    socket.setNoDelay(true);
    return socket;
  }
}
