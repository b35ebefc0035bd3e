import { connect, type Socket } from 'node:net';
import type { Clock } from '@wherry/daemon';
import type { Address } from '../config/address.ts';
import { setDeadline } from '../timing/deadline.ts';
import { BUFFER_BYTES_MAX } from './relay.ts';

export interface DialOptions {
  readonly address: Address;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly keepAliveMs: number;
}

export type Dialed =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/**
 * Connects to a backend; `onEnd` is called once, later, unless cancelled before.
 * @returns cancels the attempt
 */
export function dial(options: DialOptions, onEnd: (dialed: Dialed) => void): () => void {
  const { address, clock, timeoutMs, keepAliveMs } = options;
  const settings = {
    host: address.host,
    port: address.port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
    highWaterMark: BUFFER_BYTES_MAX,
  };
  const socket = connect(settings);
  const release = () => {
    timer.cancel();
    socket.off('connect', onConnect);
    socket.off('error', onError);
  };
  const give = (code: string, message: string) => {
    abandon();
    onEnd({ kind: 'failed', code, message });
  };
  const abandon = () => {
    release();
    // A late failure of an attempt nobody waits for is no news.
    socket.on('error', () => {});
    socket.destroy();
  };
  const onConnect = () => {
    release();
    onEnd({ kind: 'connected', socket });
  };
  const onError = (error: Error & { readonly code?: string }) => give(error.code ?? 'unknown', error.message);
  const timer = setDeadline(clock, timeoutMs, () => give('ETIMEDOUT', `no connection within ${timeoutMs} ms`));
  socket.once('connect', onConnect);
  socket.once('error', onError);
  return abandon;
}
