import type { Clock, Logger, Random, Timer } from '@wherry/daemon';
import { StoreError } from '../schema/errors.ts';
import { requests } from '../schema/frames.ts';
import { leaderRequest, statusResponse } from '../schema/other-codecs.ts';
import { StoreConnection } from './connection.ts';
import type { StoreConnector } from './connector.ts';
import { Standby } from './standby.ts';

/** How long one endpoint may take to connect and say who it is. */
const CONNECT_MS_MAX = 3_000;
/** Once a member that does not lead has answered, the others have so long to say that they do. */
const OTHERS_MS_MAX = 250;
/** When still nobody leads after so many attempts, a follower can at least answer reads that need no leader. */
const FOLLOWER_FROM_ATTEMPT = 3;
/** A member that is silent for so many ticks, asked and not answering, is left: about what an election takes. */
const TICK_MS = 400;
const SILENT_TICKS_MAX = 3;
const BACKOFF_MS_MIN = 10;
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
  /** All that are not closed: the present one, those in waiting, and former ones that still have something to finish. */
  readonly #open = new Set<StoreConnection>();
  readonly #standby: Standby;
  /** Who answers at an endpoint, by id; and the one that was lost last: nobody need tell us that it leads. */
  readonly #ids = new Map<string, number>();
  #lost = 0;
  /** Endpoints whose failure was told and that have not answered since. */
  readonly #unusable = new Set<string>();
  #connection: StoreConnection | undefined;
  #connecting: Promise<StoreConnection> | undefined;

  constructor(parts: EndpointsParts) {
    this.#parts = parts;
    this.#standby = new Standby(parts.clock, this.#stop.signal, (endpoint) => this.#dial(endpoint, this.#stop.signal));
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
    this.#lost = this.#ids.get(connection.endpoint) ?? 0;
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
          this.#use(connection);
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

  #use(connection: StoreConnection): void {
    this.#connection = connection;
    this.#standby.take(connection.endpoint);
    this.#listen(connection);
    for (const endpoint of this.#parts.endpoints) {
      if (endpoint === connection.endpoint) continue;
      void this.#standby.tend(endpoint, () => this.#connection?.endpoint !== endpoint);
    }
  }

  /**
   * Asks all members at once, for one that is paused or cut off may keep us waiting. The leader if one is found, else
   * any member; the latter only if it stays that way for a few attempts.
   */
  async #tryAll(attempt: number): Promise<StoreConnection | undefined> {
    const { clock, endpoints } = this.#parts;
    const over = new AbortController();
    const found: Found[] = [];
    const chosen = await new Promise<StoreConnection | undefined>((resolve) => {
      let timer: Timer | undefined;
      const settle = (one: StoreConnection | undefined): void => {
        timer?.cancel();
        resolve(one);
      };
      const tries = endpoints.map(async (endpoint) => {
        const one = await this.#try(endpoint, over.signal);
        if (one === undefined) return;
        found.push(one);
        if (one.leads || endpoints.length === 1) settle(one.connection);
        else timer ??= clock.setTimer(OTHERS_MS_MAX, () => settle(undefined));
      });
      void Promise.all(tries).then(() => settle(undefined));
    });
    over.abort(new StoreError('unavailable', { detail: 'another member was chosen' }));
    return chosen ?? (attempt >= FOLLOWER_FROM_ATTEMPT ? found[0]?.connection : undefined);
  }

  async #try(endpoint: string, attempt: AbortSignal): Promise<Found | undefined> {
    const { clock, logger } = this.#parts;
    const timeout = new AbortController();
    const signal = AbortSignal.any([timeout.signal, attempt, this.#stop.signal]);
    const timer = clock.setTimer(CONNECT_MS_MAX, () => timeout.abort(new StoreError('timeout', { detail: endpoint })));
    let connection = this.#standby.take(endpoint);
    try {
      connection ??= await this.#dial(endpoint, signal);
      // It answers when it knows a new leader: asking again and again would be late, or a burden.
      const status = await connection.call(requests.leader, leaderRequest, { not: this.#lost }, statusResponse, signal);
      this.#ids.set(endpoint, status.memberId);
      this.#standby.put(connection);
      if (this.#unusable.delete(endpoint)) logger.info({ endpoint }, 'store endpoint is usable again');
      return { connection, leads: status.leader === status.memberId };
    } catch (error) {
      // Another member was chosen: this one had no time to answer, and may be of use later.
      if (attempt.aborted && connection !== undefined) this.#standby.put(connection);
      else connection?.close(error);
      if (!attempt.aborted) this.#complain(endpoint, error);
      return undefined;
    } finally {
      timer.cancel();
    }
  }

  /** Once: a member that is away is tried several times a second. */
  #complain(endpoint: string, error: unknown): void {
    const { logger } = this.#parts;
    const level = this.#unusable.has(endpoint) ? 'debug' : 'warn';
    this.#unusable.add(endpoint);
    logger[level]({ err: error, endpoint }, 'store endpoint not usable');
  }

  async #dial(endpoint: string, signal: AbortSignal): Promise<StoreConnection> {
    const stream = await this.#parts.connector(endpoint, signal);
    if (signal.aborted) {
      stream.destroy();
      throw signal.reason;
    }
    const made = new StoreConnection(endpoint, stream, () => {
      this.#open.delete(made);
      if (made === this.#connection) this.#lost = this.#ids.get(endpoint) ?? 0;
    });
    this.#open.add(made);
    return made;
  }

  /**
   * A member that is paused or cut off says nothing, not even that its connection is gone. Counted in ticks rather
   * than by time: after a pause of this process, what has arrived meanwhile is read before the next tick.
   */
  #listen(connection: StoreConnection): void {
    const { clock, endpoints, logger } = this.#parts;
    if (endpoints.length === 1) return;
    let silentTicks = 0;
    let received = connection.received;
    const tick = (): void => {
      if (connection.closed) return;
      silentTicks = connection.received === received ? silentTicks + 1 : 0;
      received = connection.received;
      if (silentTicks > SILENT_TICKS_MAX) {
        logger.warn({ endpoint: connection.endpoint }, 'store endpoint went silent');
        connection.close(new StoreError('timeout', { detail: `${connection.endpoint} went silent` }));
        return;
      }
      if (silentTicks === 1) connection.ping();
      clock.setTimer(TICK_MS, tick);
    };
    clock.setTimer(TICK_MS, tick);
  }
}

interface Found {
  readonly connection: StoreConnection;
  readonly leads: boolean;
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
