// The backend of the balancer's benchmark, on a thread of its own: plain bytes for the load, TLS for health checks.
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

export interface BenchBackend {
  readonly cert: string;
  readonly key: string;
  /** What a client gets that asks for a download. */
  readonly downloadBytes: number;
}

const TLS_HANDSHAKE = 0x16;
const DOWNLOAD = 'd'.charCodeAt(0);
const chunk = Buffer.alloc(64 * 1024, 0x61);
const { cert, key, downloadBytes } = workerData as BenchBackend;

const health = createTlsServer({ cert, key }, (_request, response) => response.end('ok'));
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.once('data', (first: Buffer) => {
    if (first[0] === TLS_HANDSHAKE) {
      socket.pause();
      socket.unshift(first);
      health.emit('connection', socket);
    } else if (first[0] === DOWNLOAD) flood(socket);
    else socket.end('x');
  });
});
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));

function flood(socket: Socket): void {
  let left = downloadBytes;
  const pump = () => {
    while (left > 0) {
      left -= chunk.length;
      if (!socket.write(chunk)) return;
    }
    socket.end();
  };
  socket.on('drain', pump);
  pump();
}
