import { createSecureContext } from 'node:tls';
import { Agent } from 'undici';
import { SharedConnections, type TlsOptions } from './shared-connections.ts';
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

/** Sockets to one server, besides the shared ones. */
const CONNECTIONS_MAX = 512;
const CONNECT_TIMEOUT_MS = 10_000;
/** How long a response may take to begin; the server itself answers 504 after 60 s. */
const HEADERS_TIMEOUT_MS = 65_000;
/** Idle sockets are given up before the server's own keep-alive limit, so no request meets a closing one. */
const KEEP_ALIVE_MS = 30_000;

/**
 * HTTP/1.1 with keep-alive over TLS for requests: cheaper each in undici than its HTTP/2. Watches, and the lists before
 * them, share a connection of HTTP/2 when the server speaks it.
 */
export function undiciTransport(connection: ServerConnection): Transport {
  const tls = tlsOptions(connection);
  const agent = new Agent({
    connections: CONNECTIONS_MAX,
    allowH2: false,
    pipelining: 1,
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { ...tls, timeout: CONNECT_TIMEOUT_MS, keepAlive: true, keepAliveInitialDelay: 15_000 },
  });
  const shared = new SharedConnections({
    server: connection.server,
    tls,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    headersTimeoutMs: HEADERS_TIMEOUT_MS,
  });
  const fixed: Record<string, string> = { 'user-agent': connection.userAgent ?? 'wherry' };
  if (connection.token !== undefined) fixed['authorization'] = `Bearer ${connection.token}`;
  const isTls = connection.server.startsWith('https:');
  return {
    async request(request) {
      const { method, path, body, signal } = request;
      const headers = { ...fixed, ...request.headers };
      if (isTls && request.multiplexed === true) {
        const response = await shared.get({ ...request, headers });
        if (response !== undefined) return response;
      }
      const response = await agent.request({
        origin: connection.server,
        method,
        path,
        headers,
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
      return { status: response.statusCode, headers: response.headers, body: response.body };
    },
    async close() {
      shared.close();
      await agent.destroy();
    },
  };
}

/** Certificates are read once: a context for each connection would cost 40 KB and half a millisecond. */
function tlsOptions(connection: ServerConnection): TlsOptions {
  const { ca, cert, key, tlsServerName, insecureSkipTlsVerify } = connection;
  if (!connection.server.startsWith('https:')) return {};
  return {
    secureContext: createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    }),
    rejectUnauthorized: insecureSkipTlsVerify !== true,
    ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
  };
}
