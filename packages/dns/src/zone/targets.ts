import type { Endpoint, EndpointSlice, Service } from '@wherry/api';
import type { ClusterView } from './cluster-view.ts';
import { type Address, dashed, parseAddress } from './names.ts';

/** One address (with one port) a name leads to. */
export interface Target {
  readonly address: Address;
  /** Labels of the name that has only this address, relative to `svc.<zone>`. */
  readonly host: string;
  /** Absent when nothing declares a port: then there is no SRV record either. */
  readonly port: number | undefined;
}

/** What the labels left of `name.namespace.svc` ask for; absent parts match all. */
export interface Selection {
  readonly endpoint?: string;
  readonly port?: string;
  readonly protocol?: string;
}

interface NamedPort {
  readonly name?: string;
  readonly protocol?: string;
  readonly port?: number;
}

export function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === 'None';
}

/** Endpoint names and headless services lead to endpoints, all others to the service's own addresses. */
export function targetsOf(view: ClusterView, service: Service, selection: Selection): readonly Target[] {
  if (isHeadless(service) || selection.endpoint !== undefined) {
    const { namespace = '', name = '' } = service.metadata ?? {};
    return view.slicesOf(namespace, name).flatMap((slice) => endpointTargets(service, slice, selection));
  }
  const { clusterIPs, clusterIP, ports = [] } = service.spec ?? {};
  const addresses = addressesIn(clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP]));
  return ports
    .filter((port) => selects(selection, port))
    .flatMap(({ port }) => addresses.map((address) => ({ address, host: serviceHost(service), port })));
}

function endpointTargets(service: Service, slice: EndpointSlice, selection: Selection): readonly Target[] {
  // A slice without ports still has addresses.
  const declared: readonly NamedPort[] = slice.ports?.length ? slice.ports : [{}];
  const ports = declared.filter((port) => selects(selection, port));
  if (ports.length === 0) return [];
  return (slice.endpoints ?? [])
    .filter((endpoint) => isPublished(service, endpoint))
    .flatMap((endpoint) =>
      addressesIn(endpoint.addresses ?? []).flatMap((address) => {
        const name = endpointName(endpoint, address);
        if (selection.endpoint !== undefined && selection.endpoint !== name) return [];
        return ports.map(({ port }) => ({ address, host: `${name}.${serviceHost(service)}`, port }));
      }),
    );
}

/** The names of the endpoints of `slice` at `address`, relative to `svc.<zone>`. */
export function endpointHostsAt(service: Service, slice: EndpointSlice, address: Address): readonly string[] {
  return (slice.endpoints ?? [])
    .filter((endpoint) => isPublished(service, endpoint))
    .filter((endpoint) => addressesIn(endpoint.addresses ?? []).some(({ text }) => text === address.text))
    .map((endpoint) => `${endpointName(endpoint, address)}.${serviceHost(service)}`);
}

export function serviceHost(service: Service): string {
  return `${service.metadata?.name ?? ''}.${service.metadata?.namespace ?? ''}`;
}

/** An endpoint that does not say whether it is ready is. */
function isPublished(service: Service, endpoint: Endpoint): boolean {
  return endpoint.conditions?.ready !== false || service.spec?.publishNotReadyAddresses === true;
}

function endpointName(endpoint: Endpoint, address: Address): string {
  return endpoint.hostname ? endpoint.hostname.toLowerCase() : dashed(address.text);
}

function addressesIn(texts: readonly string[]): readonly Address[] {
  return texts.map(parseAddress).filter((address) => address !== undefined);
}

function selects({ port, protocol }: Selection, declared: NamedPort): boolean {
  return (
    (port === undefined || port === (declared.name ?? '').toLowerCase()) &&
    (protocol === undefined || protocol === (declared.protocol ?? '').toLowerCase())
  );
}
