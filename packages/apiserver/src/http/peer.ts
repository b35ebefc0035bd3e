import type { TLSSocket } from 'node:tls';
import type { Peer } from './exchange.ts';

const known = new WeakMap<TLSSocket, Peer>();

/** Who is at the other end of a connection; read from the certificate once per connection. */
export function peerOf(socket: TLSSocket): Peer {
  let peer = known.get(socket);
  if (peer === undefined) {
    peer = { address: socket.remoteAddress ?? '', certificate: certificateOf(socket) };
    known.set(socket, peer);
  }
  return peer;
}

function certificateOf(socket: TLSSocket): Peer['certificate'] {
  const certificate = socket.getPeerCertificate();
  if (certificate === undefined || certificate === null || Object.keys(certificate).length === 0) {
    return { kind: 'none' };
  }
  if (!socket.authorized) {
    return { kind: 'untrusted', reason: String(socket.authorizationError ?? 'not trusted') };
  }
  const { CN, O } = certificate.subject as { CN?: string | string[]; O?: string | string[] };
  const commonName = Array.isArray(CN) ? (CN[0] ?? '') : (CN ?? '');
  const organizations = O === undefined ? [] : Array.isArray(O) ? O : [O];
  return { kind: 'trusted', commonName, organizations };
}
