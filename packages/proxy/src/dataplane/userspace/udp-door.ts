import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { Timer } from '@wherry/daemon';
import { endpointsOf } from '../../plan/difference.ts';
import { endpointKey } from '../../plan/endpoints.ts';
import type { Door, DoorOptions } from './door.ts';

/** A client that is silent this long is a new one when it speaks again; the kernel's figure for answered flows. */
const IDLE_MS = 120_000;
const SWEEP_MS = 10_000;
/** Datagrams kept while a new client's socket connects, which takes no packet and thus no time to speak of. */
const WAITING_MAX = 64;

interface Session {
  readonly endpoint: string;
  readonly socket: Socket;
  readonly leave: () => void;
  /** Datagrams that came before the socket was connected; undefined once it is. */
  waiting: Buffer[] | undefined;
  lastMs: number;
}

/** Passes datagrams on, with one socket towards the endpoint for each client, so that answers find their way back. */
export class UdpDoor implements Door {
  readonly #options: DoorOptions;
  readonly #socket = createSocket('udp4');
  readonly #sessions = new Map<string, Session>();
  #sweeper: Timer | undefined;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#socket.on('message', (data, client) => this.#forward(data, client));
  }

  open(): Promise<void> {
    const { address, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind({ address, port }, () => {
        this.#socket.off('error', reject);
        this.#socket.on('error', () => undefined);
        this.#sweep();
        resolve();
      });
    });
  }

  /** Clients of an endpoint that is gone are given another one with their next datagram. */
  refresh(): void {
    const { rule } = this.#options.chooser;
    const left = new Set(
      ['internal', 'external', 'shortcut'].flatMap((door) => endpointsOf(rule[door as 'internal']).map(endpointKey)),
    );
    for (const [client, session] of this.#sessions) if (!left.has(session.endpoint)) this.#end(client, session);
  }

  close(): void {
    this.#sweeper?.cancel();
    for (const [client, session] of this.#sessions) this.#end(client, session);
    this.#socket.close();
  }

  #forward(data: Buffer, client: RemoteInfo): void {
    const key = `${client.address}:${client.port}`;
    const session = this.#sessions.get(key) ?? this.#begin(key, client);
    if (session === undefined) return;
    session.lastMs = this.#options.clock.monotonicMs();
    if (session.waiting === undefined) send(session.socket, data);
    else if (session.waiting.length < WAITING_MAX) session.waiting.push(data);
  }

  #begin(key: string, client: RemoteInfo): Session | undefined {
    const { chooser, kind, clock, load } = this.#options;
    const endpoint = chooser.candidates(kind, client.address)[0];
    if (endpoint === undefined || load.full) return undefined;
    chooser.chosen(client.address, endpoint);
    const socket = createSocket('udp4');
    const session: Session = {
      endpoint: endpointKey(endpoint),
      socket,
      leave: load.add(() => this.#end(key, session)),
      waiting: [],
      lastMs: clock.monotonicMs(),
    };
    socket.on('message', (data) => {
      session.lastMs = clock.monotonicMs();
      this.#socket.send(data, client.port, client.address, () => undefined);
    });
    // Nobody listens at the endpoint: the next datagram may go elsewhere.
    socket.on('error', () => this.#end(key, session));
    socket.connect(endpoint.port, endpoint.ip, () => {
      const waiting = session.waiting ?? [];
      session.waiting = undefined;
      for (const data of waiting) send(socket, data);
    });
    this.#sessions.set(key, session);
    return session;
  }

  #end(key: string, session: Session): void {
    if (this.#sessions.get(key) !== session) return;
    this.#sessions.delete(key);
    session.leave();
    session.socket.close();
  }

  #sweep(): void {
    const { clock } = this.#options;
    for (const [key, session] of this.#sessions) {
      if (clock.monotonicMs() - session.lastMs > IDLE_MS) this.#end(key, session);
    }
    this.#sweeper = clock.setTimer(SWEEP_MS, () => this.#sweep());
  }
}

/** A datagram that cannot be sent is lost, which is what UDP promises. */
function send(socket: Socket, data: Buffer): void {
  socket.send(data, () => undefined);
}
