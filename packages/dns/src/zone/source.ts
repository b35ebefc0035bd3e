import type { EndpointSlice, Service } from '@wherry/api';

/** What the zone's records are made from. */
export interface ClusterSource {
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  hasNamespace(namespace: string): boolean;
  /** Services with this cluster IP; one at most. */
  servicesByIp(ip: string): readonly Service[];
  /** Slices in which an endpoint has this address. */
  slicesByIp(ip: string): readonly EndpointSlice[];
}

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
