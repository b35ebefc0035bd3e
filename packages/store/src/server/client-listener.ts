import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { type GrpcDoorParts, serveGrpc } from '../grpc/door.ts';
import { CLIENT_PROTOCOL, GRPC_PROTOCOL } from '../schema/limits.ts';
import { ClientDoor, type DoorParts } from './client-door.ts';

/** Connections served at once. */
const CONNECTIONS_MAX = 4096;
const HANDSHAKE_MS_MAX = 10_000;

/** PEM texts of one side of a mutual TLS connection. */
export interface TlsFiles {
  /** Whoever connects, or is connected to, must show a certificate signed by this. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Listener {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Opens the client port; the protocol a client names in the handshake decides which door it comes to. There is none
 * without TLS and a client certificate of the store's own CA.
 */
export function listenForClients(
  address: { readonly host: string; readonly port: number },
  tls: TlsFiles,
  parts: DoorParts & { readonly doors: Set<ClientDoor>; readonly grpc: GrpcDoorParts },
): Promise<Listener> {
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    {
      ...tls,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [CLIENT_PROTOCOL, GRPC_PROTOCOL],
      handshakeTimeout: HANDSHAKE_MS_MAX,
    },
    (socket) => {
      const { alpnProtocol } = socket;
      if (alpnProtocol !== CLIENT_PROTOCOL && alpnProtocol !== GRPC_PROTOCOL) {
        const spoken = `${CLIENT_PROTOCOL} nor ${GRPC_PROTOCOL}`;
        parts.logger.warn({ remote: socket.remoteAddress }, `client refused: it speaks neither ${spoken}`);
        socket.destroy();
        return;
      }
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      if (alpnProtocol === GRPC_PROTOCOL) {
        serveGrpc(socket, parts.grpc);
        return;
      }
      const door = new ClientDoor(socket, parts);
      parts.doors.add(door);
      socket.on('close', () => parts.doors.delete(door));
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on('tlsClientError', (error, socket) =>
    parts.logger.warn({ err: error, remote: socket.remoteAddress }, 'client refused'),
  );
  return listen(server, address, sockets);
}

/** Listens, or rejects with the reason; `close` ends the open connections too. */
export function listen(
  server: Server,
  address: { readonly host: string; readonly port: number },
  sockets: ReadonlySet<TLSSocket>,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, () => {
      server.off('error', reject);
      const { address: host, port } = server.address() as AddressInfo;
      const close = () =>
        new Promise<void>((closed) => {
          server.close(() => closed());
          for (const socket of sockets) socket.destroy();
        });
      resolve({ host, port, close });
    });
  });
}
