import type { Socket } from 'node:net';
import type { Clock, Logger } from '@wherry/daemon';
import type { BalancerMetrics } from '../pool/balancer-metrics.ts';
import type { Backend, Pool, PooledStream } from '../pool/pool.ts';
import { type Dialed, dial } from './dial.ts';
import { type Opening, openWith } from './opening.ts';
import { abort, passOnEnd, relay } from './relay.ts';

export interface StreamOptions {
  /** Paused: nothing was read from it. */
  readonly client: Socket;
  readonly pool: Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: BalancerMetrics;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  /** A backend behaved as if it had died. */
  readonly onSuspicion: (backend: Backend) => void;
  readonly onClosed: () => void;
}

type Phase =
  | { readonly kind: 'new' }
  | { readonly kind: 'dialing'; readonly backend: Backend; readonly cancel: () => void }
  | { readonly kind: 'opening'; readonly backend: Backend; readonly socket: Socket; readonly opening: Opening }
  | { readonly kind: 'joined'; readonly backend: Backend; readonly socket: Socket }
  | { readonly kind: 'closed' };

/** One client: finds it a backend, trying the others as long as none has answered, then joins the two. */
export class Stream implements PooledStream {
  readonly #options: StreamOptions;
  readonly #tried = new Set<Backend>();
  #phase: Phase = { kind: 'new' };
  /** What the client has said to backends that did not answer. */
  #greeting: Buffer = Buffer.alloc(0);

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  start(): void {
    const { client } = this.#options;
    client.on('error', this.#onEarlyError);
    client.on('close', this.#onEarlyClose);
    this.#dialNext();
  }

  /** Ends both sides now. */
  abort(): void {
    const phase = this.#phase;
    abort(this.#options.client);
    if (phase.kind === 'joined') abort(phase.socket);
  }

  backendDied(end: boolean): void {
    const { client, metrics } = this.#options;
    const phase = this.#phase;
    if (phase.kind === 'dialing') {
      phase.cancel();
      this.#leave(phase.backend);
      this.#dialNext();
    } else if (phase.kind === 'opening') {
      this.#lost(phase.backend, phase.socket, phase.opening.release());
    } else if (phase.kind === 'joined' && end) {
      metrics.ended.inc({ backend: phase.backend.address.text });
      // Its answer may be complete and still on the way to a slow client.
      passOnEnd(client);
      abort(phase.socket);
    }
  }

  #dialNext(): void {
    const { pool, client, clock, metrics, connectTimeoutMs, keepAliveMs } = this.#options;
    const backend = pool.choose(this.#tried);
    if (backend === undefined) {
      this.#phase = { kind: 'new' };
      metrics.refused.inc({ reason: 'no-backend' });
      client.resetAndDestroy();
      return;
    }
    this.#tried.add(backend);
    const settings = { address: backend.address, clock, timeoutMs: connectTimeoutMs, keepAliveMs };
    const cancel = dial(settings, (dialed) => this.#dialed(backend, dialed));
    this.#phase = { kind: 'dialing', backend, cancel };
    pool.join(backend, this);
  }

  #dialed(backend: Backend, dialed: Dialed): void {
    const { pool, metrics, logger, onSuspicion } = this.#options;
    if (dialed.kind === 'connected') {
      this.#openWith(backend, dialed.socket);
      return;
    }
    const { code, message } = dialed;
    metrics.dialFailures.inc({ backend: backend.address.text, code });
    logger.debug({ backend: backend.address.text, code }, 'cannot connect to a backend');
    this.#leave(backend);
    if (code === 'ECONNREFUSED') pool.observe(backend, { kind: 'refused', why: message });
    else onSuspicion(backend);
    this.#dialNext();
  }

  #openWith(backend: Backend, socket: Socket): void {
    const { client, onSuspicion } = this.#options;
    const opening = openWith(client, socket, this.#greeting, {
      onCommitted: () => this.#joinWith(backend, socket),
      onLost: (greeting) => {
        onSuspicion(backend);
        this.#lost(backend, socket, greeting);
      },
    });
    this.#phase = { kind: 'opening', backend, socket, opening };
  }

  /** A backend that was connected, but never answered. */
  #lost(backend: Backend, socket: Socket, greeting: Buffer): void {
    this.#greeting = greeting;
    this.#drop(socket);
    this.#leave(backend);
    this.#dialNext();
  }

  /** Its late complaints are no news. */
  #drop(socket: Socket): void {
    socket.on('error', () => {});
    abort(socket);
  }

  #joinWith(backend: Backend, socket: Socket): void {
    const { client, metrics, logger, onSuspicion } = this.#options;
    client.off('error', this.#onEarlyError);
    client.off('close', this.#onEarlyClose);
    this.#greeting = Buffer.alloc(0);
    this.#phase = { kind: 'joined', backend, socket };
    metrics.opened.inc({ backend: backend.address.text });
    relay(
      client,
      socket,
      (side, error) => {
        logger.debug({ err: error, side, backend: backend.address.text }, 'connection broke');
        if (side === 'backend') onSuspicion(backend);
      },
      () => {
        metrics.bytes.inc({ backend: backend.address.text, direction: 'sent' }, client.bytesRead);
        metrics.bytes.inc({ backend: backend.address.text, direction: 'received' }, socket.bytesRead);
        this.#leave(backend);
        this.#close();
      },
    );
  }

  readonly #onEarlyError = (error: Error): void => {
    this.#options.logger.debug({ err: error }, 'client left while it was being connected');
  };

  readonly #onEarlyClose = (): void => {
    const phase = this.#phase;
    if (phase.kind === 'dialing') {
      phase.cancel();
      this.#leave(phase.backend);
    } else if (phase.kind === 'opening') {
      phase.opening.release();
      this.#drop(phase.socket);
      this.#leave(phase.backend);
    }
    this.#close();
  };

  #leave(backend: Backend): void {
    this.#options.pool.leave(backend, this);
  }

  #close(): void {
    if (this.#phase.kind === 'closed') return;
    this.#phase = { kind: 'closed' };
    this.#options.onClosed();
  }
}
