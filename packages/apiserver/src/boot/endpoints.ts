import type { ApiObject, EndpointSlice, Endpoints } from '@wherry/api';
import { type Clock, pause } from '@wherry/daemon';
import { type Json, jsonEqual } from '../patch/json.ts';
import type { Apiserver } from './assemble.ts';
import { changeExisting, createIfMissing } from './own-writes.ts';

/** Upstream's lease of an API server's address: a server that dies is out of the endpoints after this time. */
const LEASE_SECONDS = 15;
const RENEW_EVERY_MS = 10_000;
const WITHDRAW_MS_MAX = 1_000;
const WATCH_AGAIN_MS = 1_000;
const LEASES_PREFIX = '/registry/masterleases/';

/** Keeps the endpoints of default/kubernetes equal to the API servers that are alive. */
export class OwnEndpoints {
  readonly #server: Apiserver;
  readonly #clock: Clock;
  readonly #address: string;
  readonly #port: number;

  constructor(server: Apiserver, clock: Clock, address: string, port: number) {
    this.#server = server;
    this.#clock = clock;
    this.#address = address;
    this.#port = port;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { logger } = this.#server.registry;
    do {
      try {
        await this.publish();
      } catch (error) {
        logger.warn({ err: error }, 'could not publish the API server among the endpoints of default/kubernetes');
      }
    } while (await pause(this.#clock, RENEW_EVERY_MS, signal));
    // A store that is gone too must not hold the process up; then the lease runs out.
    await Promise.race([this.withdraw(), this.#clock.sleep(WITHDRAW_MS_MAX)]);
  }

  /**
   * Rewrites the endpoints as soon as the lease of another server is gone, instead of at this server's next renewal:
   * nobody should be sent to a dead server for longer than its lease.
   */
  async followLeases(signal: AbortSignal): Promise<void> {
    const { storage, logger } = this.#server.registry;
    do {
      try {
        const { revision } = await storage.list(LEASES_PREFIX, { revision: 0, limit: 1, signal });
        for await (const batch of storage.watch(LEASES_PREFIX, revision + 1, signal)) {
          if (batch.events.some(({ kind, key }) => kind === 'delete' && key !== this.#key())) {
            await this.#write(await this.#alive());
          }
        }
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'could not follow the leases of other API servers');
      }
    } while (await pause(this.#clock, WATCH_AGAIN_MS, signal));
  }

  async publish(): Promise<void> {
    await this.#renew();
    await this.#write(await this.#alive());
  }

  /** Leaves the endpoints in an orderly way. */
  async withdraw(): Promise<void> {
    const { storage, logger } = this.#server.registry;
    try {
      const lease = await storage.get(this.#key());
      if (lease !== undefined) {
        await storage.delete(lease.key, lease.revision);
      }
      const others = (await this.#alive()).filter((address) => address !== this.#address);
      if (others.length > 0) {
        await this.#write(others);
      }
    } catch (error) {
      logger.debug({ err: error }, 'could not leave the endpoints; the lease will run out');
    }
  }

  #key(): string {
    return `${LEASES_PREFIX}${this.#address}`;
  }

  async #renew(): Promise<void> {
    const { storage } = this.#server.registry;
    const value = Buffer.from(
      JSON.stringify({
        kind: 'Endpoints',
        apiVersion: 'v1',
        metadata: {},
        subsets: [{ addresses: [{ ip: this.#address }] }],
      }),
    );
    const options = { ttlSeconds: LEASE_SECONDS };
    const present = await storage.get(this.#key());
    if (present === undefined) {
      await storage.create(this.#key(), value, options);
    } else {
      await storage.update(this.#key(), value, present.revision, options);
    }
  }

  async #alive(): Promise<readonly string[]> {
    const { storage } = this.#server.registry;
    const leases = await storage.list(LEASES_PREFIX, { revision: 0, limit: 0 });
    return leases.items.map(({ key }) => key.slice(LEASES_PREFIX.length)).sort();
  }

  async #write(addresses: readonly string[]): Promise<void> {
    await this.#ensure('', 'endpoints', endpoints(addresses, this.#port));
    await this.#ensure('discovery.k8s.io', 'endpointslices', slice(addresses, this.#port));
  }

  async #ensure(group: string, resource: string, wanted: ApiObject): Promise<void> {
    const { registry, kinds } = this.#server;
    if (await createIfMissing(registry, kinds, group, resource, wanted)) {
      return;
    }
    const { metadata: _metadata, ...content } = wanted;
    await changeExisting(registry, kinds, group, resource, 'default', 'kubernetes', (present) => {
      const { metadata: _present, ...now } = present;
      return jsonEqual(now as unknown as Json, content as unknown as Json) ? undefined : { ...present, ...content };
    });
  }
}

function endpoints(addresses: readonly string[], port: number): Endpoints {
  return {
    kind: 'Endpoints',
    apiVersion: 'v1',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  };
}

function slice(addresses: readonly string[], port: number): EndpointSlice {
  return {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'kubernetes' },
    },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  };
}
