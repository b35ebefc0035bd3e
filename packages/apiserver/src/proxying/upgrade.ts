import { connect as connectPlain } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '@wherry/daemon';
import type { ApiRequest, UpgradeResponse } from '../http/exchange.ts';

const CONNECT_MS_MAX = 10_000;

/** What the other side of a joined connection is told. */
export interface UpgradeTarget {
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  /** Undefined: plain TCP. */
  readonly tls:
    | { readonly cert?: string; readonly key?: string; readonly ca?: string; readonly rejectUnauthorized?: boolean }
    | undefined;
}

/** Headers that speak about the connection or the caller's credentials, not about the stream. */
const notForwarded = new Set(['host', 'authorization', 'impersonate-user', 'impersonate-group', 'impersonate-uid']);

/**
 * Joins the client's connection to the target's: the request is sent again there, and from then on bytes go both ways
 * unread. So whatever the two agree on (WebSocket with any channel protocol, SPDY) passes.
 */
export function upgradeTo(
  request: ApiRequest,
  target: UpgradeTarget,
  clock: Clock,
  onFailure: (error: unknown) => void,
): UpgradeResponse {
  const head = requestHead(request, target);
  return {
    kind: 'upgrade',
    status: 101,
    headers: {},
    join: (client, clientHead) => {
      // Keystrokes and short messages must not wait for more to send with them.
      const where = { host: target.host, port: target.port, noDelay: true };
      const backend: Duplex = target.tls === undefined ? connectPlain(where) : connectTls({ ...where, ...target.tls });
      const patience = clock.setTimer(CONNECT_MS_MAX, () =>
        backend.destroy(new Error(`no connection in ${CONNECT_MS_MAX} ms`)),
      );
      let connected = false;
      backend.once(target.tls === undefined ? 'connect' : 'secureConnect', () => {
        connected = true;
        patience.cancel();
        backend.write(head);
        backend.write(clientHead);
        client.pipe(backend);
        backend.pipe(client);
      });
      backend.once('error', (error) => {
        onFailure(error);
        if (connected) {
          client.destroy();
        } else {
          client.end(badGateway(error, target));
        }
      });
      client.once('error', () => backend.destroy());
      client.once('close', () => backend.destroy());
      backend.once('close', () => {
        patience.cancel();
        client.end();
      });
    },
  };
}

function requestHead(request: ApiRequest, target: UpgradeTarget): string {
  const lines = [`${request.method} ${target.path} HTTP/1.1`, `Host: ${target.host}:${target.port}`];
  for (const name of request.headerNames()) {
    if (!notForwarded.has(name) && !name.startsWith('impersonate-extra-') && !name.startsWith(':')) {
      for (const value of request.headers(name)) {
        lines.push(`${name}: ${withoutToken(name, value)}`);
      }
    }
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Browsers' clients put a bearer token among the WebSocket protocols; it stays here. */
function withoutToken(name: string, value: string): string {
  return name === 'sec-websocket-protocol'
    ? value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => !part.startsWith('base64url.bearer.authorization.k8s.io.'))
        .join(', ')
    : value;
}

function badGateway(error: Error, { host, port }: UpgradeTarget): string {
  const body = JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `error dialing backend ${host}:${port}: ${error.message}`,
    code: 502,
  });
  return `HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}
