import type { Clock } from '@wherry/daemon';
import type { ApiRequest, ApiResponse, Transport } from './transport.ts';
import { type ServerConnection, undiciTransport } from './undici-transport.ts';

/** What was under way may finish for so long; only watches last longer, and those go on over the new connection. */
const LINGER_MS = 5_000;

/**
 * A transport whose credentials can be replaced while it is used: requests that come later go over connections with
 * the new ones, and those with the old ones are closed a little later. A server looks at a certificate only when a
 * connection begins, so without this an informer would live on an old one.
 */
export class SwitchingTransport implements Transport {
  readonly #clock: Clock;
  readonly #connect: (connection: ServerConnection) => Transport;
  readonly #leaving = new Set<Transport>();
  #current: Transport;

  constructor(connection: ServerConnection, clock: Clock, connect = undiciTransport) {
    this.#clock = clock;
    this.#connect = connect;
    this.#current = connect(connection);
  }

  /** @throws when the credentials cannot be used; then nothing changes */
  use(connection: ServerConnection): void {
    const next = this.#connect(connection);
    const old = this.#current;
    this.#current = next;
    this.#leaving.add(old);
    this.#clock.setTimer(LINGER_MS, () => {
      if (this.#leaving.delete(old)) void old.close();
    });
  }

  request(request: ApiRequest): Promise<ApiResponse> {
    return this.#current.request(request);
  }

  async close(): Promise<void> {
    const all = [...this.#leaving, this.#current];
    this.#leaving.clear();
    await Promise.all(all.map((transport) => transport.close()));
  }
}
