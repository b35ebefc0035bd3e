import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import type { ApiRequest, ApiResponse } from './transport.ts';

/** Streams of one connection; more get another one. The server allows 250. */
const STREAMS_MAX = 100;
/** Bytes a stream that is not read may hold back; all together stay within the connection's, so none stalls another. */
const STREAM_WINDOW_BYTES = 256 * 1024;
const CONNECTION_WINDOW_BYTES = STREAMS_MAX * STREAM_WINDOW_BYTES;
/** Node's own limit, 10, is less than what streams that are not read may hold back, and refuses new ones beyond it. */
const SESSION_MEGABYTES_MAX = 2 * (CONNECTION_WINDOW_BYTES >> 20);
/** A connection that was silent for this long is asked whether it lives, and given up after as long again (client-go). */
const SILENT_MS_MAX = 30_000;

/** Empty for plain HTTP. */
export interface TlsOptions {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: boolean;
  readonly servername?: string;
}

export interface SharedConnectionOptions {
  /** For example `https://127.0.0.1:6443`. */
  readonly server: string;
  readonly tls: TlsOptions;
  readonly connectTimeoutMs: number;
  /** How long a response may take to begin. */
  readonly headersTimeoutMs: number;
}

/**
 * Watches and lists as streams of HTTP/2, all on one connection. A controller-manager has 65 of each: as connections of
 * their own they cost 115 KB at either end, two milliseconds of CPU to begin, and the server ten microseconds an event
 * instead of three.
 */
export class SharedConnections {
  readonly #options: SharedConnectionOptions;
  readonly #sessions = new Set<ClientHttp2Session>();
  #current: Promise<Session | undefined> | undefined;
  #closed = false;

  constructor(options: SharedConnectionOptions) {
    this.#options = options;
  }

  /** @returns undefined when the server speaks no HTTP/2 */
  async get({ path, headers, signal }: ApiRequest): Promise<ApiResponse | undefined> {
    signal?.throwIfAborted();
    const session = await this.#reserve();
    if (session === undefined) return undefined;
    try {
      signal?.throwIfAborted();
      const stream = session.http2.request({ ...headers, ':method': 'GET', ':path': path }, { endStream: true });
      stream.once('close', () => session.streams--);
      return this.#response(stream, signal);
    } catch (error) {
      // No stream came to be.
      session.streams--;
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const session of this.#sessions) session.destroy();
  }

  #response(stream: ClientHttp2Stream, signal: AbortSignal | undefined): Promise<ApiResponse> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        stream.close(constants.NGHTTP2_CANCEL);
        stream.destroy(toError(signal?.reason));
      };
      signal?.addEventListener('abort', abort, { once: true });
      stream.setTimeout(this.#options.headersTimeoutMs, () => stream.destroy(new Error('No answer in time')));
      // Also keeps an error that nobody reads, because the reader has left, from ending the process.
      stream.on('error', reject);
      stream.once('close', () => {
        signal?.removeEventListener('abort', abort);
        reject(new Error('The connection was closed before the answer began'));
      });
      stream.once('response', (headers) => {
        stream.setTimeout(0);
        const { [constants.HTTP2_HEADER_STATUS]: status = 0, ...rest } = headers;
        resolve({ status: Number(status), headers: rest, body: stream });
      });
    });
  }

  /** A connection with room, where one more stream is counted from now on. */
  async #reserve(): Promise<Session | undefined> {
    if (this.#closed) throw new Error('The client is closed');
    this.#current ??= this.#open();
    const opening = this.#current;
    try {
      const session = await opening;
      if (session === undefined) return undefined;
      if (session.streams < STREAMS_MAX) {
        session.streams++;
        return session;
      }
    } catch (error) {
      this.#forget(opening);
      throw error;
    }
    this.#forget(opening);
    return this.#reserve();
  }

  #forget(opening: Promise<Session | undefined>): void {
    if (this.#current === opening) this.#current = undefined;
  }

  async #open(): Promise<Session | undefined> {
    const socket = await this.#connect();
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return undefined;
    }
    const http2 = connect(this.#options.server, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      maxSessionMemory: SESSION_MEGABYTES_MAX,
    });
    const opened = this.#current;
    const leave = (): void => {
      if (opened !== undefined) this.#forget(opened);
    };
    this.#sessions.add(http2);
    // What it means is said to each stream.
    http2.on('error', leave);
    http2.on('goaway', leave);
    http2.on('close', () => {
      this.#sessions.delete(http2);
      leave();
    });
    await new Promise<void>((resolve, reject) => {
      http2.once('connect', () => resolve());
      http2.once('close', () => reject(new Error('The connection was closed while it began')));
    });
    http2.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    endWhenSilent(http2);
    if (this.#closed) http2.destroy();
    return { http2, streams: 0 };
  }

  #connect(): Promise<TLSSocket> {
    const { server, tls, connectTimeoutMs } = this.#options;
    const { hostname, port } = new URL(server);
    return new Promise((resolve, reject) => {
      const socket = connectTls({
        ...tls,
        host: hostname.replace(/^\[|\]$/g, ''),
        port: port === '' ? 443 : Number(port),
        ALPNProtocols: ['h2', 'http/1.1'],
      });
      socket.setNoDelay(true);
      socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error(`No connection in ${connectTimeoutMs} ms`)));
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        socket.setTimeout(0);
        resolve(socket);
      });
    });
  }
}

interface Session {
  readonly http2: ClientHttp2Session;
  streams: number;
}

/** A peer that went away without a word, with its machine or its network, would else be waited for for hours. */
function endWhenSilent(session: ClientHttp2Session): void {
  let asked = false;
  session.setTimeout(SILENT_MS_MAX, () => {
    if (asked) {
      session.destroy(new Error(`No sign of life in ${SILENT_MS_MAX} ms`));
      return;
    }
    asked = true;
    session.ping((error) => {
      if (error === null) asked = false;
    });
  });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
