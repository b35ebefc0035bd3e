import type { Duplex } from 'node:stream';
import { connect, createSecureContext } from 'node:tls';
import { CLIENT_PROTOCOL } from '../schema/limits.ts';

/** Opens a connection to an endpoint; rejects if that fails or the signal aborts. Tests bring their own. */
export type StoreConnector = (endpoint: string, signal: AbortSignal) => Promise<Duplex>;

/** PEM texts: the store's CA, and a client certificate signed by it. */
export interface StoreTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Mutual TLS to endpoints written as `https://host:port`. */
export function tlsConnector(tls: StoreTls): StoreConnector {
  // Reading keys and certificates takes longer than a handshake: once is enough.
  const secureContext = createSecureContext({ ...tls, minVersion: 'TLSv1.3' });
  return (endpoint, signal) =>
    new Promise((resolve, reject) => {
      const { hostname, port, protocol } = new URL(endpoint);
      if (protocol !== 'https:') {
        reject(new Error(`Cannot connect to "${endpoint}": the store is reached over https only`));
        return;
      }
      const host = hostname.replace(/^\[|\]$/g, '');
      const socket = connect({
        secureContext,
        host,
        port: Number(port === '' ? '2379' : port),
        ALPNProtocols: [CLIENT_PROTOCOL],
      });
      const abort = () => socket.destroy(signal.reason instanceof Error ? signal.reason : undefined);
      const failed = (error: Error) =>
        reject(new Error(`Cannot connect to ${endpoint}: ${error.message}`, { cause: error }));
      signal.addEventListener('abort', abort, { once: true });
      socket.once('error', failed);
      socket.once('close', () => reject(new Error(`Cannot connect to ${endpoint}: connection closed`)));
      socket.once('secureConnect', () => {
        signal.removeEventListener('abort', abort);
        socket.off('error', failed);
        socket.setNoDelay(true);
        socket.setKeepAlive(true, 30_000);
        resolve(socket);
      });
    });
}
