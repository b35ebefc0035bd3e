import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@wherry/daemon';
import type { ApiResponse, Handle } from './exchange.ts';
import { Http1Request } from './http1.ts';
import { connectionClosed } from './sending.ts';

/** Requests with an Upgrade header: the core decides as for any other, then the connection is handed over. */
export function serveUpgrade(
  handle: Handle,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  drain: AbortSignal,
  logger: Logger,
): void {
  const gone = new AbortController();
  socket.on('close', () => gone.abort(connectionClosed));
  socket.on('error', (error) => logger.debug({ err: error }, 'upgraded connection failed'));
  drain.addEventListener('abort', () => socket.destroy(), { once: true, signal: gone.signal });
  handle(new Http1Request(message), gone.signal).then(
    (response) => {
      if (response.kind === 'upgrade') {
        response.join(socket, head);
      } else {
        refuse(socket, response);
      }
    },
    (error: unknown) => {
      logger.error({ err: error }, 'upgrade could not be answered');
      socket.destroy();
    },
  );
}

/** Whatever is not an upgrade ends the connection with an ordinary response, written by hand. */
function refuse(socket: Duplex, response: ApiResponse): void {
  const body = response.kind === 'bytes' ? response.body : Buffer.alloc(0);
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`];
  for (const [name, value] of Object.entries(response.headers)) {
    for (const item of typeof value === 'string' ? [value] : value) {
      lines.push(`${name}: ${item}`);
    }
  }
  lines.push(`content-length: ${body.length}`, 'connection: close');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  socket.end(body);
}
