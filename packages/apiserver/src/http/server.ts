import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from '@wherry/daemon';
import fastify from 'fastify';
import type { Handle } from './exchange.ts';
import { serveHttp1 } from './http1.ts';
import { serveHttp2 } from './http2.ts';
import { serveUpgrade } from './upgrade-door.ts';

export interface ServerOptions {
  readonly handle: Handle;
  readonly host: string;
  readonly port: number;
  /** PEM texts. */
  readonly certificate: string;
  readonly key: string;
  readonly clientAuthorities: readonly string[];
  readonly logger: Logger;
}

/** Streams one HTTP/2 connection may have open (Go's default). */
const STREAMS_PER_CONNECTION_MAX = 250;
const SESSION_MEGABYTES_MAX = 64;
const HEADER_BYTES_MAX = 64 * 1024;
const CONNECTIONS_MAX = 20_000;

/** HTTP/2 and HTTP/1.1 on one TLS port. */
export class HttpServer {
  readonly #app: { close(): PromiseLike<unknown> };
  readonly #server: Http2SecureServer;
  readonly #drain: AbortController;

  private constructor(app: { close(): PromiseLike<unknown> }, server: Http2SecureServer, drain: AbortController) {
    this.#app = app;
    this.#server = server;
    this.#drain = drain;
  }

  static async listen(options: ServerOptions): Promise<HttpServer> {
    const { handle, logger } = options;
    const drain = new AbortController();
    let server: Http2SecureServer | undefined;
    const app = fastify({
      // Only what is not HTTP/2 comes through fastify; its own parsing, limits and errors would repeat ours.
      serverFactory: (listener: (request: IncomingMessage, response: ServerResponse) => void) => {
        server = secureServer(options);
        server.on('request', listener as never);
        useNativeStreams(server, handle, drain.signal, logger);
        server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
          serveUpgrade(handle, request, socket, head, drain.signal, logger);
        });
        return server as never;
      },
      exposeHeadRoutes: false,
      bodyLimit: Number.MAX_SAFE_INTEGER,
    });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    app.all('/*', (request, reply) => {
      reply.hijack();
      serveHttp1(handle, request.raw, reply.raw, drain.signal, logger);
    });
    await app.listen({ host: options.host, port: options.port });
    if (server === undefined) {
      throw new Error('fastify made no server');
    }
    server.maxConnections = CONNECTIONS_MAX;
    return new HttpServer(app, server, drain);
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  /** Takes no more connections, ends watches, lets the rest finish. */
  async close(): Promise<void> {
    this.#drain.abort(new Error('the server is shutting down'));
    await this.#app.close();
  }
}

function secureServer(options: ServerOptions): Http2SecureServer {
  return createSecureServer({
    allowHTTP1: true,
    cert: options.certificate,
    key: options.key,
    ca: [...options.clientAuthorities],
    requestCert: true,
    // A bad certificate is refused with 401 by the authenticator, as upstream, not by the handshake.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    // HTTP/2 sets it itself, HTTP/1 does not: of two events in a row the second would wait for the client's late ACK.
    noDelay: true,
    settings: { maxConcurrentStreams: STREAMS_PER_CONNECTION_MAX, initialWindowSize: 1024 * 1024 },
    // A client's watches share a connection: beyond Node's own limit of 10 the next of them would be refused.
    maxSessionMemory: SESSION_MEGABYTES_MAX,
    maxHeaderListPairs: 512,
    ...{ maxHeaderSize: HEADER_BYTES_MAX },
  });
}

/** Streams of HTTP/2 skip Node's HTTP/1 lookalike, which would cost 1.4 times as much. */
function useNativeStreams(server: Http2SecureServer, handle: Handle, drain: AbortSignal, logger: Logger): void {
  server.removeAllListeners('stream');
  server.on('stream', (stream: ServerHttp2Stream, headers) => serveHttp2(handle, stream, headers, drain, logger));
  server.on('session', (session) => {
    session.setLocalWindowSize?.(8 * 1024 * 1024);
    const end = (): void => session.close();
    drain.addEventListener('abort', end, { once: true });
    // Else the drain would hold every session that ever was.
    session.on('close', () => drain.removeEventListener('abort', end));
  });
  server.on('sessionError', (error) => logger.debug({ err: error }, 'HTTP/2 session failed'));
  server.on('tlsClientError', (error) => logger.debug({ err: error }, 'TLS handshake failed'));
}
