import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Clock, Logger } from '@wherry/daemon';
import { type Address, formatAddress } from '../config/address.ts';
import type { BalancerMetrics } from '../pool/balancer-metrics.ts';
import type { Backend, Pool } from '../pool/pool.ts';
import { BUFFER_BYTES_MAX } from '../stream/relay.ts';
import { Stream } from '../stream/stream.ts';

/** Clients that may wait in the kernel to be accepted, for example while this process is paused. */
const BACKLOG_MAX = 1024;

export interface BalancerOptions {
  readonly listen: readonly Address[];
  readonly pool: Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: BalancerMetrics;
  readonly connectionsMax: number;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly onSuspicion: (backend: Backend) => void;
}

/** Accepts clients and owns their streams. */
export class Balancer {
  readonly #options: BalancerOptions;
  readonly #servers: Server[] = [];
  readonly #streams = new Set<Stream>();
  #onEmpty: (() => void) | undefined;
  #full = false;

  constructor(options: BalancerOptions) {
    this.#options = options;
  }

  /** @throws when an address cannot be listened on; then none is */
  async listen(): Promise<void> {
    try {
      for (const address of this.#options.listen) this.#servers.push(await this.#listenOn(address));
    } catch (error) {
      for (const server of this.#servers) server.close();
      throw error;
    }
  }

  get ports(): readonly number[] {
    return this.#servers.map((server) => (server.address() as AddressInfo).port);
  }

  get connections(): number {
    return this.#streams.size;
  }

  /** Takes no more clients, lets the others go on for `graceMs`, then ends them. */
  async close(graceMs: number): Promise<void> {
    const { clock, logger } = this.#options;
    for (const server of this.#servers) server.close();
    if (this.#streams.size === 0) return;
    const startMs = clock.monotonicMs();
    const accepted = this.#streams.size;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(graceMs, resolve);
      this.#onEmpty = () => {
        timer.cancel();
        resolve();
      };
    });
    const tookMs = Math.round(clock.monotonicMs() - startMs);
    logger.info({ connections: accepted, ended: this.#streams.size, tookMs }, 'drained');
    for (const stream of [...this.#streams]) stream.abort();
  }

  #listenOn(address: Address): Promise<Server> {
    const { logger, keepAliveMs } = this.#options;
    const server = createServer(
      {
        allowHalfOpen: true,
        // Nothing is read before a backend is there to take it.
        pauseOnConnect: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: keepAliveMs,
        highWaterMark: BUFFER_BYTES_MAX,
      },
      (client) => this.#accept(client),
    );
    return new Promise((resolve, reject) => {
      const onError = (cause: Error) =>
        reject(new Error(`Cannot listen on ${address.text}: ${cause.message}`, { cause }));
      server.once('error', onError);
      server.listen({ host: address.host, port: address.port, backlog: BACKLOG_MAX }, () => {
        server.off('error', onError);
        server.on('error', (error) => logger.error({ err: error, address: address.text }, 'listener failed'));
        const { port } = server.address() as AddressInfo;
        logger.info({ address: formatAddress(address.host, port) }, 'listening');
        resolve(server);
      });
    });
  }

  #accept(client: Socket): void {
    const { listen: _, connectionsMax, metrics, ...shared } = this.#options;
    if (this.#streams.size >= connectionsMax) {
      this.#refuse(client);
      return;
    }
    this.#full = false;
    const stream = new Stream({
      ...shared,
      metrics,
      client,
      onClosed: () => {
        this.#streams.delete(stream);
        if (this.#streams.size === 0) this.#onEmpty?.();
      },
    });
    this.#streams.add(stream);
    stream.start();
  }

  #refuse(client: Socket): void {
    const { metrics, logger, connectionsMax } = this.#options;
    metrics.refused.inc({ reason: 'limit' });
    client.on('error', (error) => logger.debug({ err: error }, 'refused client'));
    client.resetAndDestroy();
    if (this.#full) return;
    this.#full = true;
    logger.warn({ connectionsMax }, 'refusing clients: too many connections');
  }
}
