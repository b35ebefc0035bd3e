import type { EndpointSlice, Service } from '@wherry/api';

/** What the zone is made from: the daemon's caches, by the keys that questions come with. */
export interface ClusterView {
  service(namespace: string, name: string): Service | undefined;
  slicesOf(namespace: string, name: string): readonly EndpointSlice[];
  /** Whether any service lives in the namespace. */
  hasServicesIn(namespace: string): boolean;
  /** @param address in canonical spelling */
  servicesAt(address: string): readonly Service[];
  /** Slices with an endpoint at this address. */
  slicesAt(address: string): readonly EndpointSlice[];
  /** Seconds since the epoch of the last change: the zone's SOA serial. */
  readonly serial: number;
}

/** Which Service a slice belongs to. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
