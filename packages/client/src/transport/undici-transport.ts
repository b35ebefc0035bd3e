import { Agent } from 'undici';
import type { Transport } from './transport.ts';

export interface ServerConnection {
  /** For example `https://127.0.0.1:6443`. */
  readonly server: string;
  /** PEM texts. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  /** Name expected in the server's certificate when it differs from the host of `server`. */
  readonly tlsServerName?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly userAgent?: string;
}

/** Sockets to one server: each watch holds one. */
const CONNECTIONS_MAX = 512;
const CONNECT_TIMEOUT_MS = 10_000;
/** How long a response may take to begin; the server itself answers 504 after 60 s. */
const HEADERS_TIMEOUT_MS = 65_000;
/** Idle sockets are given up before the server's own keep-alive limit, so no request meets a closing one. */
const KEEP_ALIVE_MS = 30_000;

/** HTTP/1.1 with keep-alive over TLS: cheaper per request in undici than its HTTP/2, and a stalled watch stalls alone. */
export function undiciTransport(connection: ServerConnection): Transport {
  const agent = new Agent({
    connections: CONNECTIONS_MAX,
    allowH2: false,
    pipelining: 1,
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: {
      timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelay: 15_000,
      rejectUnauthorized: connection.insecureSkipTlsVerify !== true,
      ...(connection.ca === undefined ? {} : { ca: connection.ca }),
      ...(connection.cert === undefined ? {} : { cert: connection.cert }),
      ...(connection.key === undefined ? {} : { key: connection.key }),
      ...(connection.tlsServerName === undefined ? {} : { servername: connection.tlsServerName }),
    },
  });
  const fixed: Record<string, string> = { 'user-agent': connection.userAgent ?? 'wherry' };
  if (connection.token !== undefined) fixed['authorization'] = `Bearer ${connection.token}`;
  return {
    async request({ method, path, headers, body, signal }) {
      const response = await agent.request({
        origin: connection.server,
        method,
        path,
        headers: { ...fixed, ...headers },
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
      return { status: response.statusCode, headers: response.headers, body: response.body };
    },
    close: () => agent.destroy(),
  };
}
