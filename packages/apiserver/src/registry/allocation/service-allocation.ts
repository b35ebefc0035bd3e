import {
  type ApiObject,
  type FieldError,
  type IPAddress,
  internalError,
  invalid,
  invalidValue,
  isAlreadyExists,
  isNotFound,
  resources,
  type Service,
} from '@wherry/api';
import { type Clock, type Logger, type Random, rfc3339 } from '@wherry/daemon';
import type { ObjectReader } from '../../cache/object-reader.ts';
import { grantService, serviceNeeds } from '../../kinds/service-allocation.ts';
import type { PortNeed } from '../../kinds/strategy.ts';
import type { ObjectStore } from '../object-store.ts';
import type { StoredKind } from '../served-kind.ts';
import { addressAt, freeOffset, type IpRange, isUsable } from './ip-range.ts';
import type { NodePorts } from './node-ports.ts';

const MANAGED_BY = 'ipallocator.k8s.io';
/** Two servers may pick the same free address; the loser picks again. */
const PICKS_MAX = 100;

export interface Allocated {
  readonly object: ApiObject;
  /** Undoes the allocation when the write fails. */
  giveBack(): Promise<void>;
  /** Frees what the object held before an update that was written. */
  releaseOld(): Promise<void>;
}

export interface ServiceAllocationOptions {
  readonly store: ObjectStore;
  readonly reader: ObjectReader;
  readonly nodePorts: NodePorts;
  readonly range: IpRange;
  readonly addresses: StoredKind;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const nothing = async (): Promise<void> => {};

/**
 * Cluster IPs and node ports of Services. A cluster IP is taken by creating the IPAddress object of that name
 * (KEP-1880), which only one can; node ports by the record in `NodePorts`.
 */
export class ServiceAllocation {
  readonly #options: ServiceAllocationOptions;

  constructor(options: ServiceAllocationOptions) {
    this.#options = options;
  }

  /** The object with addresses and ports, for a Service; any other as it is. @throws StatusError Invalid */
  async allocate(
    stored: StoredKind,
    object: ApiObject,
    old: ApiObject | undefined,
    dryRun: boolean,
  ): Promise<Allocated> {
    if (!isServices(stored)) {
      return { object, giveBack: nothing, releaseOld: nothing };
    }
    const service = object as Service;
    const needs = serviceNeeds(service, old as Service | undefined);
    const taken: Taken = { addresses: [], ports: [] };
    try {
      const clusterIP = await this.#address(service, needs.clusterIP, taken, dryRun);
      const nodePorts = new Map<number, number>();
      for (const { index, need, sameAs } of needs.nodePorts) {
        const shared = sameAs === undefined ? undefined : nodePorts.get(sameAs);
        const path = `spec.ports[${index}].nodePort`;
        nodePorts.set(index, shared ?? (await this.#port(service, need, path, taken, dryRun)));
      }
      const health = needs.healthCheckNodePort;
      const healthCheckNodePort =
        health === undefined ? undefined : await this.#port(service, health, 'spec.healthCheckNodePort', taken, dryRun);
      const granted = grantService(service, {
        nodePorts,
        ...(clusterIP === undefined ? {} : { clusterIP }),
        ...(healthCheckNodePort === undefined ? {} : { healthCheckNodePort }),
      });
      return {
        object: granted,
        giveBack: () => this.#free(taken.addresses, taken.ports),
        releaseOld: dryRun || old === undefined ? nothing : () => this.#releaseDifference(old as Service, granted),
      };
    } catch (error) {
      await this.#free(taken.addresses, taken.ports);
      throw error;
    }
  }

  /** Frees everything a deleted Service held. */
  async release(stored: StoredKind, object: ApiObject): Promise<void> {
    if (isServices(stored)) {
      const service = object as Service;
      await this.#free(addressesOf(service), portsOf(service));
    }
  }

  async #releaseDifference(old: Service, next: Service): Promise<void> {
    const kept = new Set(addressesOf(next));
    const keptPorts = new Set(portsOf(next));
    await this.#free(
      addressesOf(old).filter((address) => !kept.has(address)),
      portsOf(old).filter((port) => !keptPorts.has(port)),
    );
  }

  async #address(
    service: Service,
    need: ReturnType<typeof serviceNeeds>['clusterIP'],
    taken: Taken,
    dryRun: boolean,
  ): Promise<string | undefined> {
    const { range } = this.#options;
    switch (need.kind) {
      case 'none':
        return undefined;
      case 'fixed': {
        const at = (detail: string): FieldError =>
          invalidValue('spec.clusterIPs', [need.address], `failed to allocate IP ${need.address}: ${detail}`);
        if (!isUsable(range, need.address)) {
          throw refused(
            service,
            at(`the provided IP (${need.address}) is not in the valid range. The range of valid IPs is ${range.cidr}`),
          );
        }
        if (!(await this.#take(service, need.address, taken, dryRun))) {
          throw refused(service, at('provided IP is already allocated'));
        }
        return need.address;
      }
      case 'auto': {
        for (let pick = 0; pick < PICKS_MAX; pick += 1) {
          const offset = freeOffset(
            range,
            (address) => this.#isTaken(address),
            (max) => this.#options.random.integer(max),
          );
          if (offset === undefined) {
            break;
          }
          const address = addressAt(range, offset);
          if (await this.#take(service, address, taken, dryRun)) {
            return address;
          }
        }
        throw internalError('failed to allocate a serviceIP: range is full');
      }
    }
  }

  #isTaken(address: string): boolean {
    return this.#options.reader.read(resources.ipaddresses, '', address) !== undefined;
  }

  /** False: someone has it. */
  async #take(service: Service, address: string, taken: Taken, dryRun: boolean): Promise<boolean> {
    const { store, addresses } = this.#options;
    try {
      await store.create(addresses, this.#record(service, address), dryRun);
    } catch (error) {
      if (isAlreadyExists(error)) {
        return false;
      }
      throw error;
    }
    if (!dryRun) {
      taken.addresses.push(address);
    }
    return true;
  }

  #record(service: Service, address: string): IPAddress {
    const { clock, random } = this.#options;
    const { name = '', namespace = '' } = service.metadata ?? {};
    return {
      kind: 'IPAddress',
      apiVersion: 'networking.k8s.io/v1',
      metadata: {
        name: address,
        uid: random.uuid(),
        creationTimestamp: rfc3339(clock.now()),
        generation: 1,
        labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': MANAGED_BY },
      },
      spec: { parentRef: { resource: 'services', namespace, name } },
    };
  }

  async #port(service: Service, need: PortNeed, path: string, taken: Taken, dryRun: boolean): Promise<number> {
    const { nodePorts } = this.#options;
    if (need.kind === 'auto') {
      if (dryRun) {
        // As upstream: a dry run names no port that another could get meanwhile.
        return nodePorts.range.from;
      }
      const port = await nodePorts.takeAny();
      if (port === undefined) {
        throw internalError('failed to allocate a nodePort: range is full');
      }
      taken.ports.push(port);
      return port;
    }
    const { from, to } = nodePorts.range;
    if (!nodePorts.inRange(need.port)) {
      throw refused(
        service,
        invalidValue(
          path,
          need.port,
          `provided port is not in the valid range. The range of valid ports is ${from}-${to}`,
        ),
      );
    }
    if (!dryRun) {
      if (!(await nodePorts.take(need.port))) {
        throw refused(service, invalidValue(path, need.port, 'provided port is already allocated'));
      }
      taken.ports.push(need.port);
    }
    return need.port;
  }

  async #free(addresses: readonly string[], ports: readonly number[]): Promise<void> {
    const { store, nodePorts, logger } = this.#options;
    try {
      for (const address of addresses) {
        await store
          .update(this.#options.addresses, '', address, { dryRun: false }, () => ({ kind: 'remove' }))
          .catch((error: unknown) => {
            if (!isNotFound(error)) {
              throw error;
            }
          });
      }
      if (ports.length > 0) {
        await nodePorts.release(ports);
      }
    } catch (error) {
      // The Service is written or gone already; what stays allocated is found by the next repair.
      logger.warn({ err: error, addresses, ports }, 'could not free what a Service held');
    }
  }

  /** Frees what no Service holds and takes what one holds: after a crash between two writes. */
  async repair(): Promise<void> {
    const { reader, nodePorts } = this.#options;
    const held = new Set<string>();
    const ports = new Set<number>();
    for (const service of reader.all(resources.services)) {
      for (const address of addressesOf(service)) {
        held.add(address);
        if (isUsable(this.#options.range, address) && !this.#isTaken(address)) {
          await this.#take(service, address, { addresses: [], ports: [] }, false);
        }
      }
      for (const port of portsOf(service)) {
        ports.add(port);
      }
    }
    const orphans: string[] = [];
    for (const address of reader.all(resources.ipaddresses)) {
      const name = address.metadata?.name ?? '';
      const ours = address.metadata?.labels?.['ipaddress.kubernetes.io/managed-by'] === MANAGED_BY;
      const ageMs = this.#options.clock.now() - Date.parse(address.metadata?.creationTimestamp ?? '');
      // A Service that is being created right now has its address before it exists.
      if (ours && !held.has(name) && ageMs > 60_000) {
        orphans.push(name);
      }
    }
    await this.#free(orphans, []);
    await nodePorts.repair(ports);
  }
}

interface Taken {
  readonly addresses: string[];
  readonly ports: number[];
}

function isServices(stored: StoredKind): boolean {
  return stored.group === '' && stored.resource === 'services';
}

function refused(service: Service, error: FieldError): Error {
  return invalid({ group: '', kind: 'Service' }, service.metadata?.name ?? '', [error]);
}

function addressesOf(service: Service): readonly string[] {
  return (service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? '']).filter(
    (address) => address !== '' && address !== 'None',
  );
}

function portsOf(service: Service): readonly number[] {
  const ports = (service.spec?.ports ?? []).map(({ nodePort = 0 }) => nodePort);
  return [...ports, service.spec?.healthCheckNodePort ?? 0].filter((port) => port !== 0);
}
