import type { Clock } from '@wherry/daemon';
import type { StoreConnection } from './connection.ts';

/** A member that is away is tried again so often. */
const RETRY_MS = 2_000;

/**
 * Idle connections to the members we do not use: when the present one dies, the next is asked without a handshake,
 * which is most of what a change of leader would else cost a client.
 */
export class Standby {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #open: (endpoint: string) => Promise<StoreConnection>;
  readonly #connections = new Map<string, StoreConnection>();
  readonly #tending = new Set<string>();

  /** @param open makes a connection, or rejects */
  constructor(clock: Clock, signal: AbortSignal, open: (endpoint: string) => Promise<StoreConnection>) {
    this.#clock = clock;
    this.#signal = signal;
    this.#open = open;
  }

  /** Takes a connection out, for use. */
  take(endpoint: string): StoreConnection | undefined {
    const connection = this.#connections.get(endpoint);
    this.#connections.delete(endpoint);
    return connection?.closed === true ? undefined : connection;
  }

  /** Puts one in; a second one to the same member is closed. */
  put(connection: StoreConnection): void {
    const { endpoint } = connection;
    const present = this.#connections.get(endpoint);
    if (connection.closed || present === connection) return;
    if (present?.closed === false || this.#signal.aborted) connection.close(undefined);
    else this.#connections.set(endpoint, connection);
  }

  /** Sees to it that there is one, as long as `wanted`. */
  async tend(endpoint: string, wanted: () => boolean): Promise<void> {
    if (this.#tending.has(endpoint)) return;
    this.#tending.add(endpoint);
    try {
      while (wanted() && !this.#signal.aborted) {
        await this.#clock.sleep(RETRY_MS, this.#signal);
        if (this.#connections.get(endpoint)?.closed === false || !wanted()) continue;
        const connection = await this.#open(endpoint).catch(() => undefined);
        if (connection !== undefined) this.put(connection);
      }
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      this.#tending.delete(endpoint);
    }
  }
}
