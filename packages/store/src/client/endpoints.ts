import type { Clock, Logger, Random } from '@wherry/daemon';
import { message } from '../schema/codec.ts';
import { StoreError } from '../schema/errors.ts';
import { requests } from '../schema/frames.ts';
import { statusResponse } from '../schema/other-codecs.ts';
import { StoreConnection } from './connection.ts';
import type { StoreConnector } from './connector.ts';

export const emptyRequest = message<object>({}, {});

/** How long one endpoint may take to connect and say who it is. */
const CONNECT_MS_MAX = 3_000;
const BACKOFF_MS_MIN = 20;
/** Short: a member that comes back should be found at once, and an attempt costs little. */
const BACKOFF_MS_MAX = 250;

export interface EndpointsParts {
  readonly endpoints: readonly string[];
  readonly connector: StoreConnector;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Keeps one connection, to the leader if it can be reached: any member serves, but through the leader a write takes
 * one hop less. All callers share an attempt to connect.
 */
export class Endpoints {
  readonly #parts: EndpointsParts;
  readonly #stop = new AbortController();
  /** All that are not closed: the present one, and former ones that still have something to finish. */
  readonly #open = new Set<StoreConnection>();
  #connection: StoreConnection | undefined;
  #connecting: Promise<StoreConnection> | undefined;

  constructor(parts: EndpointsParts) {
    this.#parts = parts;
  }

  get closed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** The connection, waiting for one if need be. Rejects with the signal's reason, or when closed. */
  async connection(signal: AbortSignal): Promise<StoreConnection> {
    if (this.#connection?.closed === false) return this.#connection;
    this.#stop.signal.throwIfAborted();
    this.#connecting ??= this.#connect();
    return orAborted(this.#connecting, signal);
  }

  /** The member connected to does not lead (any more): look again, unless there is no choice. */
  notLeader(connection: StoreConnection): void {
    if (this.#parts.endpoints.length === 1 || connection !== this.#connection) return;
    this.#connection = undefined;
    connection.retire();
  }

  close(): void {
    this.#stop.abort(new StoreError('unavailable', { detail: 'the client is closed' }));
    for (const connection of [...this.#open]) connection.close(this.#stop.signal.reason);
  }

  async #connect(): Promise<StoreConnection> {
    const { clock, random, logger } = this.#parts;
    try {
      for (let attempt = 0; ; attempt++) {
        const connection = await this.#tryAll(attempt);
        this.#stop.signal.throwIfAborted();
        if (connection !== undefined) {
          this.#connection = connection;
          logger.debug({ endpoint: connection.endpoint }, 'connected to the store');
          return connection;
        }
        const waitMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(attempt, 10));
        await clock.sleep(waitMs * (0.5 + random.next() / 2), this.#stop.signal);
      }
    } finally {
      this.#connecting = undefined;
    }
  }

  /** The leader if one is found, else any member; the latter only if it stays that way for a few attempts. */
  async #tryAll(attempt: number): Promise<StoreConnection | undefined> {
    let fallback: StoreConnection | undefined;
    for (const endpoint of this.#parts.endpoints) {
      const found = await this.#try(endpoint);
      if (found === undefined) continue;
      if (found.leads || this.#parts.endpoints.length === 1) {
        fallback?.close(undefined);
        return found.connection;
      }
      if (fallback === undefined) fallback = found.connection;
      else found.connection.close(undefined);
    }
    if (attempt >= 3) return fallback;
    fallback?.close(undefined);
    return undefined;
  }

  async #try(endpoint: string): Promise<{ readonly connection: StoreConnection; readonly leads: boolean } | undefined> {
    const { clock, connector, logger } = this.#parts;
    const timeout = new AbortController();
    const signal = AbortSignal.any([timeout.signal, this.#stop.signal]);
    const timer = clock.setTimer(CONNECT_MS_MAX, () => timeout.abort(new StoreError('timeout', { detail: endpoint })));
    let connection: StoreConnection | undefined;
    try {
      const stream = await connector(endpoint, signal);
      const made = new StoreConnection(endpoint, stream, () => this.#open.delete(made));
      connection = made;
      this.#open.add(made);
      const status = await made.call(requests.status, emptyRequest, {}, statusResponse, signal);
      return { connection: made, leads: status.leader === status.memberId };
    } catch (error) {
      connection?.close(error);
      logger.warn({ err: error, endpoint }, 'store endpoint not usable');
      return undefined;
    } finally {
      timer.cancel();
    }
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
