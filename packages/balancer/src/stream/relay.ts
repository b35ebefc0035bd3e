import type { Socket } from 'node:net';

/** Waiting in this process for each direction of a connection; more stays with the sender. */
export const BUFFER_BYTES_MAX = 64 * 1024;

/**
 * Joins two connections until both are closed: bytes, the end of one direction (FIN) while the other goes on, and
 * breaks (RST) are passed on both ways. Both sockets must allow half-open.
 * @param onError told of a break before it is passed on
 */
export function relay(
  client: Socket,
  backend: Socket,
  onError: (side: 'client' | 'backend', error: Error) => void,
  onClosed: () => void,
): void {
  let open = 2;
  const follow = (side: 'client' | 'backend', socket: Socket, other: Socket) => {
    socket.on('error', (error) => onError(side, error));
    socket.on('close', () => {
      open--;
      if (open === 0) onClosed();
      else passOnEnd(other);
    });
  };
  follow('client', client, backend);
  follow('backend', backend, client);
  client.pipe(backend);
  backend.pipe(client);
}

/** The other side is gone: what it had finished saying is delivered, an unfinished message is broken visibly. */
export function passOnEnd(socket: Socket): void {
  if (socket.writableEnded) socket.destroySoon();
  else abort(socket);
}

/** Breaks a connection with RST, so that its peer cannot take it for a regular end. */
export function abort(socket: Socket): void {
  // A reset is refused while a FIN waits to be sent.
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
