import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '@wherry/daemon';
import type { Endpoint } from '../../plan/endpoints.ts';
import type { Door, DoorOptions } from './door.ts';

/** How long each endpoint in turn may take to accept; upstream's userspace mode had the same steps. */
const DIAL_MS = [250, 500, 1000, 2000];
const BACKLOG = 1024;

/** Accepts TCP connections and joins each to an endpoint of its own connection. */
export class TcpDoor implements Door {
  readonly #options: DoorOptions;
  readonly #server: Server;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) =>
      this.#serve(client),
    );
  }

  open(): Promise<void> {
    const { address, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: address, port, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        // Accepting can fail later (no file descriptors); the server listens on.
        this.#server.on('error', () => undefined);
        resolve();
      });
    });
  }

  /** Connections keep their endpoint; new ones ask the chooser. */
  refresh(): void {}

  close(): void {
    this.#server.close();
  }

  #serve(client: Socket): void {
    const { chooser, kind, clock, load } = this.#options;
    const clientIp = client.remoteAddress;
    if (load.full || clientIp === undefined) {
      client.resetAndDestroy();
      return;
    }
    const leave = load.add(() => client.destroy());
    client.once('close', leave);
    client.on('error', () => client.destroy());
    dial(chooser.candidates(kind, clientIp), client, clock, (endpoint, upstream) => {
      chooser.chosen(clientIp, endpoint);
      join(client, upstream);
    });
  }
}

/** Tries the candidates in turn until one accepts; when none does, the client's connection is reset. */
function dial(
  candidates: readonly Endpoint[],
  client: Socket,
  clock: Clock,
  accepted: (endpoint: Endpoint, upstream: Socket) => void,
  attempt = 0,
): void {
  // Fewer endpoints than steps: they are tried again, as a lost SYN would be.
  const endpoint = candidates[attempt % Math.max(candidates.length, 1)];
  const timeoutMs = DIAL_MS[attempt];
  if (endpoint === undefined || timeoutMs === undefined) {
    client.resetAndDestroy();
    return;
  }
  if (client.destroyed) return;
  const upstream = connect({ host: endpoint.ip, port: endpoint.port, allowHalfOpen: true, noDelay: true });
  const next = () => {
    timer.cancel();
    upstream.destroy();
    dial(candidates, client, clock, accepted, attempt + 1);
  };
  const timer = clock.setTimer(timeoutMs, next);
  upstream.once('error', next);
  upstream.once('connect', () => {
    timer.cancel();
    upstream.off('error', next);
    accepted(endpoint, upstream);
  });
}

function join(client: Socket, upstream: Socket): void {
  upstream.on('error', () => client.resetAndDestroy());
  upstream.once('close', () => client.destroy());
  client.once('close', () => upstream.destroy());
  if (client.destroyed) {
    upstream.destroy();
    return;
  }
  client.pipe(upstream);
  upstream.pipe(client);
}
