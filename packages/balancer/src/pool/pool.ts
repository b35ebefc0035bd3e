import type { Logger, Random } from '@wherry/daemon';
import { choose } from '../choice/choose.ts';
import type { Address } from '../config/address.ts';
import {
  type BackendHealth,
  nextHealth,
  type Thresholds,
  unknownHealth,
  type Verdict,
} from '../health/backend-health.ts';
import type { BalancerMetrics } from './balancer-metrics.ts';

/** A connection as its backend sees it. */
export interface PooledStream {
  /** The backend is down. @param end also when it was in use; one that is only being opened goes elsewhere anyway */
  backendDied(end: boolean): void;
}

export interface Backend {
  readonly address: Address;
  readonly health: BackendHealth;
  readonly streams: ReadonlySet<PooledStream>;
}

interface Entry {
  readonly address: Address;
  readonly streams: Set<PooledStream>;
  health: BackendHealth;
}

export interface PoolOptions {
  readonly backends: readonly Address[];
  readonly thresholds: Thresholds;
  readonly unreadyFallback: boolean;
  readonly endStreamsWhenDown: boolean;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: BalancerMetrics;
}

/** The backends, what is known of their health, and who is connected to which. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #entries: readonly Entry[];

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#entries = options.backends.map((address) => ({ address, streams: new Set(), health: unknownHealth }));
    for (const { address } of this.#entries) {
      options.metrics.up.set({ backend: address.text }, 0);
      options.metrics.open.set({ backend: address.text }, 0);
    }
  }

  get backends(): readonly Backend[] {
    return this.#entries;
  }

  /** Why no backend is ready; undefined when one is. */
  get problem(): string | undefined {
    if (this.#entries.some(({ health }) => health.state === 'ready')) return undefined;
    return this.#entries.map(({ address, health }) => `${address.text} is ${health.state}: ${health.why}`).join('; ');
  }

  /** @param tried these are left out */
  choose(tried: ReadonlySet<Backend>): Backend | undefined {
    const candidates = this.#entries
      .filter((entry) => !tried.has(entry))
      .map((entry) => ({ entry, state: entry.health.state, connections: entry.streams.size }));
    return choose(candidates, this.#options.unreadyFallback, this.#options.random)?.entry;
  }

  join(backend: Backend, stream: PooledStream): void {
    const entry = this.#entry(backend);
    entry.streams.add(stream);
    this.#options.metrics.open.set({ backend: entry.address.text }, entry.streams.size);
  }

  leave(backend: Backend, stream: PooledStream): void {
    const entry = this.#entry(backend);
    entry.streams.delete(stream);
    this.#options.metrics.open.set({ backend: entry.address.text }, entry.streams.size);
  }

  observe(backend: Backend, verdict: Verdict): void {
    const { thresholds, logger, metrics, endStreamsWhenDown } = this.#options;
    const entry = this.#entry(backend);
    const before = entry.health.state;
    entry.health = nextHealth(entry.health, verdict, thresholds);
    const { state, why } = entry.health;
    if (state === before) return;
    metrics.up.set({ backend: entry.address.text }, state === 'ready' ? 1 : 0);
    const fields = { backend: entry.address.text, from: before, to: state, streams: entry.streams.size };
    if (state === 'ready') logger.info(fields, 'backend is ready');
    else logger.warn({ ...fields, why }, `backend is ${state}`);
    if (state !== 'down') return;
    for (const stream of [...entry.streams]) stream.backendDied(endStreamsWhenDown);
  }

  #entry(backend: Backend): Entry {
    const entry = this.#entries.find((entry) => entry === backend);
    if (entry === undefined) throw new Error(`Backend ${backend.address.text} is not of this pool`);
    return entry;
  }
}
