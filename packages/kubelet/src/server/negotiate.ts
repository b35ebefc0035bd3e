// How a client wants to speak after its upgrade: over a WebSocket or SPDY/3.1, and which protocol on it.
import type { IncomingMessage } from 'node:http';
import { commandChannelProtocols } from './command-channels.ts';
import { commandSpdyProtocols } from './command-spdy.ts';
import { HttpError } from './http-error.ts';
import { portForwardChannelProtocols } from './port-forward.ts';
import { portForwardProtocol, tunnelledPortForwardProtocol } from './port-forward-spdy.ts';

export type StreamKind = 'exec' | 'attach' | 'portForward';
export type UpgradeTo = 'websocket' | 'spdy';

/** In order of preference. */
export function protocolsOf(kind: StreamKind, upgrade: UpgradeTo): readonly string[] {
  if (kind === 'portForward') {
    return upgrade === 'spdy' ? [portForwardProtocol] : [tunnelledPortForwardProtocol, ...portForwardChannelProtocols];
  }
  return upgrade === 'spdy' ? commandSpdyProtocols : commandChannelProtocols;
}

function listOf(header: string | readonly string[] | undefined): readonly string[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** @throws HttpError when there is nothing both sides can speak */
export function negotiate(
  { headers }: IncomingMessage,
  kind: StreamKind,
): { readonly upgrade: UpgradeTo; readonly protocol: string } {
  const asked = headers.upgrade?.toLowerCase();
  if (asked !== 'websocket' && asked !== 'spdy/3.1') {
    throw new HttpError(400, `unable to upgrade: unknown protocol "${headers.upgrade ?? ''}"`);
  }
  const upgrade = asked === 'websocket' ? asked : 'spdy';
  const offered = listOf(
    upgrade === 'websocket' ? headers['sec-websocket-protocol'] : headers['x-stream-protocol-version'],
  );
  const known = protocolsOf(kind, upgrade);
  const protocol = known.find((name) => offered.includes(name));
  if (protocol === undefined) {
    const [client, server] = [offered.join(' '), known.join(' ')];
    throw new HttpError(
      upgrade === 'websocket' ? 400 : 403,
      `unable to negotiate protocol: client supports [${client}], server accepts [${server}]`,
    );
  }
  return { upgrade, protocol };
}
