import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Clock, Logger } from '@wherry/daemon';
import { firstMessage, framed } from '../forward/exchange.ts';
import type { Protocol } from './handler.ts';

/** TCP clients at once; more are turned away. */
const CONNECTIONS_MAX = 512;
/** A connection that says nothing for so long is closed (CoreDNS's idle timeout). */
const IDLE_MS_MAX = 10_000;
/** Questions of one connection that are worked on at once; the rest waits in the socket. */
const PIPELINED_MAX = 64;
/** Questions over UDP that are worked on at once; more are dropped, and their clients ask again. */
const DATAGRAMS_MAX = 4096;

export interface DnsServerOptions {
  readonly host: string;
  /** 0 lets the system choose; see `DnsServer.port`. */
  readonly port: number;
  readonly handle: (request: Buffer, protocol: Protocol) => Promise<Buffer | undefined>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface DnsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers on one address over UDP and TCP. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const connections = new Set<Socket>();
  const tcp = createServer({ allowHalfOpen: true }, (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    serveConnection(options, socket);
  });
  tcp.maxConnections = CONNECTIONS_MAX;
  const { port } = await listenTcp(tcp, options);
  const closeTcp = () =>
    new Promise<void>((resolve) => {
      tcp.close(() => resolve());
      for (const socket of connections) socket.destroy();
    });
  const udp = createSocket(isIPv6(options.host) ? 'udp6' : 'udp4');
  try {
    await bindUdp(udp, options.host, port);
  } catch (error) {
    await closeTcp();
    throw error;
  }
  const closeUdp = serveDatagrams(options, udp);
  return {
    port,
    close: async () => {
      await Promise.all([closeUdp(), closeTcp()]);
    },
  };
}

function listenTcp(server: Server, { host, port, logger }: DnsServerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error) =>
      reject(new Error(`Cannot listen on ${host}:${port} (TCP): ${cause.message}`, { cause }));
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      server.on('error', (error) => logger.error({ err: error }, 'TCP listener failed'));
      resolve(server.address() as AddressInfo);
    });
  });
}

function bindUdp(socket: UdpSocket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error) =>
      reject(new Error(`Cannot listen on ${host}:${port} (UDP): ${cause.message}`, { cause }));
    socket.once('error', onError);
    socket.bind(port, host, () => {
      socket.off('error', onError);
      resolve();
    });
  });
}

/** @returns closes the socket */
function serveDatagrams({ handle, logger }: DnsServerOptions, socket: UdpSocket): () => Promise<void> {
  let working = 0;
  let closed = false;
  socket.on('error', (error) => logger.error({ err: error }, 'UDP listener failed'));
  socket.on('message', (request: Buffer, from: RemoteInfo) => {
    if (working >= DATAGRAMS_MAX) return;
    working++;
    handle(request, 'udp')
      .then((response) => {
        if (response === undefined || closed) return;
        socket.send(response, from.port, from.address, (error) => {
          if (error !== null) logger.debug({ err: error, to: from.address }, 'cannot send a response');
        });
      })
      .catch((error: unknown) => logger.error({ err: error, from: from.address }, 'cannot answer'))
      .finally(() => working--);
  });
  return () =>
    new Promise((resolve) => {
      closed = true;
      socket.close(resolve);
    });
}

function serveConnection({ handle, clock, logger }: DnsServerOptions, socket: Socket): void {
  let received: Buffer = Buffer.alloc(0);
  let working = 0;
  let ended = false;
  let idle = clock.setTimer(IDLE_MS_MAX, () => socket.destroy());
  const stayAwake = () => {
    idle.cancel();
    if (!socket.destroyed) idle = clock.setTimer(IDLE_MS_MAX, () => socket.destroy());
  };
  const answer = async (request: Buffer) => {
    const response = await handle(request, 'tcp');
    if (response !== undefined && socket.writable) socket.write(framed(response));
  };
  const work = () => {
    while (working < PIPELINED_MAX) {
      const request = firstMessage(received);
      if (request === undefined) break;
      received = received.subarray(2 + request.length);
      working++;
      answer(request)
        .catch((error: unknown) => {
          logger.error({ err: error, from: socket.remoteAddress }, 'cannot answer');
          socket.destroy();
        })
        .finally(() => {
          working--;
          work();
        });
    }
    if (working >= PIPELINED_MAX) socket.pause();
    else if (socket.isPaused()) socket.resume();
    if (ended && working === 0) socket.end();
  };
  socket.on('data', (chunk: Buffer) => {
    stayAwake();
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    work();
  });
  // The client may end its side and still wait for answers.
  socket.on('end', () => {
    ended = true;
    work();
  });
  socket.on('error', (error) => logger.debug({ err: error, from: socket.remoteAddress }, 'TCP client failed'));
  socket.on('close', () => idle.cancel());
}
