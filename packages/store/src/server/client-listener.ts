import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { CLIENT_PROTOCOL } from '../schema/limits.ts';
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

/** Opens the client door. There is none without TLS and a client certificate of the store's own CA. */
export function listenForClients(
  address: { readonly host: string; readonly port: number },
  tls: TlsFiles,
  parts: DoorParts & { readonly doors: Set<ClientDoor> },
): Promise<Listener> {
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    {
      ...tls,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [CLIENT_PROTOCOL],
      handshakeTimeout: HANDSHAKE_MS_MAX,
    },
    (socket) => {
      if (socket.alpnProtocol !== CLIENT_PROTOCOL) {
        parts.logger.warn({ remote: socket.remoteAddress }, `client refused: it does not speak ${CLIENT_PROTOCOL}`);
        socket.destroy();
        return;
      }
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      sockets.add(socket);
      const door = new ClientDoor(socket, parts);
      parts.doors.add(door);
      socket.on('close', () => {
        sockets.delete(socket);
        parts.doors.delete(door);
      });
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
