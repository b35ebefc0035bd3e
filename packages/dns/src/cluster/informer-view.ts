import type { EndpointSlice, Service } from '@wherry/api';
import type { Informer } from '@wherry/client';
import type { Clock } from '@wherry/daemon';
import { type ClusterView, SERVICE_NAME_LABEL } from '../zone/cluster-view.ts';
import { parseAddress } from '../zone/names.ts';

const BY_NAMESPACE = 'namespace';
const BY_ADDRESS = 'address';
const BY_SERVICE = 'service';

/** How the cache of services is kept: what names need, by namespace and by address. */
export const serviceCache = {
  indexers: {
    [BY_NAMESPACE]: (service: Service) => [service.metadata?.namespace ?? ''],
    [BY_ADDRESS]: (service: Service) => canonical(service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? '']),
  },
  project: ({ metadata, spec }: Service): Service => ({
    metadata: identity(metadata),
    spec: kept({
      type: spec?.type,
      clusterIP: spec?.clusterIP,
      clusterIPs: spec?.clusterIPs,
      externalName: spec?.externalName,
      publishNotReadyAddresses: spec?.publishNotReadyAddresses,
      ports: spec?.ports?.map(({ name, protocol, port }) => ({ port, ...kept({ name, protocol }) })),
    }),
  }),
};

/** How the cache of EndpointSlices is kept: by service and by the addresses in them. */
export const sliceCache = {
  indexers: {
    [BY_SERVICE]: (slice: EndpointSlice) => {
      const name = slice.metadata?.labels?.[SERVICE_NAME_LABEL];
      return name === undefined ? [] : [`${slice.metadata?.namespace ?? ''}/${name}`];
    },
    [BY_ADDRESS]: (slice: EndpointSlice) =>
      canonical((slice.endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])),
  },
  project: ({ metadata, addressType, endpoints, ports }: EndpointSlice): EndpointSlice => ({
    metadata: { ...identity(metadata), ...kept({ labels: metadata?.labels }) },
    addressType,
    endpoints: (endpoints ?? []).map(({ addresses, hostname, conditions }) => ({
      addresses,
      ...kept({ hostname, conditions }),
    })),
    ...kept({ ports }),
  }),
};

/** The zone's view of the two caches. */
export class InformerView implements ClusterView {
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  #serial: number;

  constructor(services: Informer<Service>, slices: Informer<EndpointSlice>, clock: Clock) {
    this.#services = services;
    this.#slices = slices;
    this.#serial = seconds(clock);
    const changed = () => {
      this.#serial = seconds(clock);
    };
    services.onChange(changed);
    slices.onChange(changed);
  }

  get serial(): number {
    return this.#serial;
  }

  /** Before the first complete lists a missing name means nothing. */
  get isComplete(): boolean {
    return this.#services.hasSynced && this.#slices.hasSynced;
  }

  service(namespace: string, name: string): Service | undefined {
    return this.#services.get(`${namespace}/${name}`);
  }

  slicesOf(namespace: string, name: string): readonly EndpointSlice[] {
    return this.#slices.byIndex(BY_SERVICE, `${namespace}/${name}`);
  }

  hasServicesIn(namespace: string): boolean {
    return this.#services.byIndex(BY_NAMESPACE, namespace).length > 0;
  }

  servicesAt(address: string): readonly Service[] {
    return this.#services.byIndex(BY_ADDRESS, address);
  }

  slicesAt(address: string): readonly EndpointSlice[] {
    return this.#slices.byIndex(BY_ADDRESS, address);
  }
}

function seconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}

function canonical(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses.map((address) => parseAddress(address)?.text).filter((text) => text !== undefined))];
}

function identity(metadata: Service['metadata']) {
  const { name, namespace, uid, resourceVersion } = metadata ?? {};
  return kept({ name, namespace, uid, resourceVersion });
}

type Kept<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function kept<T extends object>(fields: T): Kept<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Kept<T>;
}
