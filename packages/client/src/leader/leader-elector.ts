import { isAlreadyExists, isConflict, isNotFound, type Lease, resources } from '@wherry/api';
import { type Clock, jitter, type Logger, pause, type Random, rfc3339Micro, type Scope } from '@wherry/daemon';
import type { ApiClient } from '../api/api-client.ts';

export interface LeaderElectionOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly namespace: string;
  readonly name: string;
  /** Unique per process, for example `host_uuid`. */
  readonly identity: string;
  /** Others take over this long after the last renewal they saw. @default 15000 */
  readonly leaseDurationMs?: number;
  /** The leader gives up when it could not renew for this long; below `leaseDurationMs`. @default 10000 */
  readonly renewDeadlineMs?: number;
  /** Between tries, times up to 1.2 (upstream's jitter) while waiting for leadership. @default 2000 */
  readonly retryPeriodMs?: number;
}

const JITTER_FACTOR = 1.2;

/**
 * Leads, or waits to. Time is always this process's own: a lease counts as expired when its record has not changed
 * for a lease duration on our clock, so clocks may differ, but not their rates.
 */
export class LeaderElector {
  readonly #options: Required<LeaderElectionOptions>;
  #observed: { readonly record: string; readonly atMs: number } | undefined;
  #lease: Lease | undefined;
  #leading = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000, ...options };
  }

  get isLeader(): boolean {
    return this.#leading;
  }

  /**
   * Waits for leadership, calls `lead`, and renews until the scope closes or the lease is lost. `onLost` must end
   * all work at once; it is not called when the scope closed (the lease is released then).
   */
  run(scope: Scope, lead: () => void, onLost: (reason: string) => void): void {
    scope.run('leader election', async (signal) => {
      if (!(await this.#acquire(signal))) return;
      this.#leading = true;
      this.#options.logger.info({ lease: this.#options.name, identity: this.#options.identity }, 'became leader');
      lead();
      const lost = await this.#renewUntilLost(signal);
      this.#leading = false;
      if (lost === undefined) await this.#release();
      else onLost(lost);
    });
  }

  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random, retryPeriodMs } = this.#options;
    while (!signal.aborted) {
      if (await this.#tryAcquireOrRenew(signal, retryPeriodMs * 2)) return true;
      if (!(await pause(clock, jitter(random, retryPeriodMs, JITTER_FACTOR), signal))) return false;
    }
    return false;
  }

  /** @returns why leadership was lost; undefined when the scope closed */
  async #renewUntilLost(signal: AbortSignal): Promise<string | undefined> {
    const { clock, retryPeriodMs, renewDeadlineMs } = this.#options;
    let renewedMs = clock.monotonicMs();
    while (await pause(clock, retryPeriodMs, signal)) {
      const leftMs = renewedMs + renewDeadlineMs - clock.monotonicMs();
      if (leftMs > 0 && (await this.#tryAcquireOrRenew(signal, leftMs))) {
        renewedMs = clock.monotonicMs();
        continue;
      }
      if (signal.aborted) return undefined;
      if (clock.monotonicMs() - renewedMs >= renewDeadlineMs) {
        return `lease ${this.#options.name} was not renewed for ${renewDeadlineMs} ms`;
      }
      if (this.#lease !== undefined && this.#lease.spec?.holderIdentity !== this.#options.identity) {
        return `lease ${this.#options.name} is held by ${this.#lease.spec?.holderIdentity ?? 'nobody'}`;
      }
    }
    return undefined;
  }

  /** One try; false also when the server could not be asked in time. */
  async #tryAcquireOrRenew(signal: AbortSignal, timeoutMs: number): Promise<boolean> {
    const { clock, logger, name } = this.#options;
    const attempt = new AbortController();
    const timer = clock.setTimer(timeoutMs, () => attempt.abort(new Error(`No answer in ${timeoutMs} ms`)));
    try {
      return await this.#attempt(AbortSignal.any([signal, attempt.signal]));
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error, lease: name }, 'leader election: request failed');
      return false;
    } finally {
      timer.cancel();
    }
  }

  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { client, clock, namespace, name, identity, leaseDurationMs } = this.#options;
    const now = rfc3339Micro(clock.now());
    if (this.#leading && (await this.#renewAsSeen(now, signal))) return true;
    const lease = await this.#read(signal);
    if (lease === undefined) {
      const spec = { ...this.#record(now), acquireTime: now, leaseTransitions: 0 };
      try {
        this.#lease = await client.create(resources.leases, { metadata: { namespace, name }, spec }, { signal });
        return true;
      } catch (error) {
        if (isAlreadyExists(error)) return false;
        throw error;
      }
    }
    const mine = lease.spec?.holderIdentity === identity;
    const free = (lease.spec?.holderIdentity ?? '') === '';
    if (!mine && !free && !this.#isExpired(leaseDurationMs)) return false;
    const spec = {
      ...lease.spec,
      ...this.#record(now),
      ...(mine ? {} : { acquireTime: now, leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 }),
    };
    this.#observe(await client.update(resources.leases, { ...lease, spec }, { signal }));
    return true;
  }

  /** What a leader last saw is its own writing: most renewals need no reading (client-go does the same). */
  async #renewAsSeen(now: string, signal: AbortSignal): Promise<boolean> {
    const seen = this.#lease;
    if (seen?.spec?.holderIdentity !== this.#options.identity) return false;
    try {
      const lease = { ...seen, spec: { ...seen.spec, ...this.#record(now) } };
      this.#observe(await this.#options.client.update(resources.leases, lease, { signal }));
      return true;
    } catch (error) {
      // Somebody else wrote it, or took it away: what it says now decides.
      if (isConflict(error) || isNotFound(error)) return false;
      throw error;
    }
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { client, namespace, name, leaseDurationMs } = this.#options;
    // Who only waits is content with the server's memory, which costs the store nothing. What is old there cannot harm:
    // taking the lease needs its present version.
    const mayBeOld = !this.#leading && this.#observed !== undefined && !this.#isExpired(leaseDurationMs);
    const age = mayBeOld ? { resourceVersion: '0' } : {};
    try {
      const lease = await client.get(resources.leases, name, { namespace, signal, ...age });
      this.#observe(lease);
      return lease;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #record(now: string): { holderIdentity: string; leaseDurationSeconds: number; renewTime: string } {
    const { identity, leaseDurationMs } = this.#options;
    return { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000), renewTime: now };
  }

  #observe(lease: Lease): void {
    this.#lease = lease;
    const record = JSON.stringify(lease.spec);
    if (this.#observed?.record !== record) this.#observed = { record, atMs: this.#options.clock.monotonicMs() };
  }

  #isExpired(leaseDurationMs: number): boolean {
    return this.#observed !== undefined && this.#options.clock.monotonicMs() - this.#observed.atMs >= leaseDurationMs;
  }

  /** Lets the next in line start at once; failing to only makes it wait for the lease to expire. */
  async #release(): Promise<void> {
    const { client, clock, name, logger, retryPeriodMs } = this.#options;
    if (this.#lease === undefined) return;
    const now = rfc3339Micro(clock.now());
    const { holderIdentity: _, ...rest } = this.#lease.spec ?? {};
    const spec = { ...rest, leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    // A server that does not answer must not hold the process up.
    const attempt = new AbortController();
    const timer = clock.setTimer(retryPeriodMs, () => attempt.abort(new Error(`No answer in ${retryPeriodMs} ms`)));
    try {
      await client.update(resources.leases, { ...this.#lease, spec }, { signal: attempt.signal });
    } catch (error) {
      logger.warn({ err: error, lease: name }, 'cannot release the lease');
    } finally {
      timer.cancel();
    }
  }
}
