import {
  type DiscoveryV1EndpointPort,
  type Endpoint,
  isPodReady,
  isPodTerminal,
  type Node,
  type Pod,
  type Service,
  type ServicePort,
} from '@wherry/api';
import { readySinceMs } from '../../pods/readiness.ts';
import { canonicalJson } from '../../pods/template-hash.ts';

export type AddressType = 'IPv4' | 'IPv6';

/** Endpoints that share one list of ports, which is what a slice can hold. */
export interface PortGroup {
  readonly ports: readonly DiscoveryV1EndpointPort[];
  readonly endpoints: ReadonlyMap<string, DesiredEndpoint>;
}

export interface DesiredEndpoint {
  readonly endpoint: Endpoint;
  /** Since when it is as it is; undefined when nobody knows. */
  readonly sinceMs: number | undefined;
}

const ZONE_LABEL = 'topology.kubernetes.io/zone';

export function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === 'None';
}

/** Families the Service has; IPv4 where nobody said. */
export function addressTypes(service: Service): readonly AddressType[] {
  const families = service.spec?.ipFamilies ?? [];
  return families.length === 0 ? ['IPv4'] : families.map((family) => (family === 'IPv6' ? 'IPv6' : 'IPv4'));
}

/** The Service's endpoints of one family, by the ports they really offer (named ports may differ by pod). */
export function desiredGroups(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
  addressType: AddressType,
): ReadonlyMap<string, PortGroup> {
  const groups = new Map<
    string,
    { ports: readonly DiscoveryV1EndpointPort[]; endpoints: Map<string, DesiredEndpoint> }
  >();
  for (const pod of pods) {
    const addresses = podAddresses(pod).filter((address) => address.includes(':') === (addressType === 'IPv6'));
    if (addresses.length === 0 || isPodTerminal(pod)) continue;
    const node = nodeOf(pod.spec?.nodeName ?? '');
    // A pod on a node that is gone serves nobody; the node's return brings the Service back to us.
    if (node === undefined && service.spec?.publishNotReadyAddresses !== true) continue;
    const ports = endpointPorts(service, pod);
    if (ports.length === 0 && !(isHeadless(service) && (service.spec?.ports ?? []).length === 0)) continue;
    const group = groups.get(portsKey(ports)) ?? { ports, endpoints: new Map<string, DesiredEndpoint>() };
    const endpoint = podEndpoint(service, pod, node, addresses);
    group.endpoints.set(endpointKey(endpoint), { endpoint, sinceMs: readySinceMs(pod) });
    groups.set(portsKey(ports), group);
  }
  return groups;
}

export function portsKey(ports: readonly DiscoveryV1EndpointPort[]): string {
  return ports
    .map((port) => canonicalJson([port.name ?? '', port.port ?? 0, port.protocol ?? 'TCP', port.appProtocol ?? '']))
    .sort()
    .join();
}

/** Says which endpoint it is, whatever its conditions. */
export function endpointKey(endpoint: Endpoint): string {
  return `${endpoint.targetRef?.uid ?? ''} ${[...endpoint.addresses].sort().join()}`;
}

export function podAddresses(pod: Pod): readonly string[] {
  const { podIPs, podIP } = pod.status ?? {};
  if (podIPs !== undefined && podIPs.length > 0) return podIPs.map(({ ip }) => ip).filter((ip) => ip !== '');
  return podIP === undefined || podIP === '' ? [] : [podIP];
}

function podEndpoint(service: Service, pod: Pod, node: Node | undefined, addresses: readonly string[]): Endpoint {
  const { name = '', namespace = '', uid = '', deletionTimestamp } = pod.metadata ?? {};
  const serving = isPodReady(pod);
  const terminating = deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node?.metadata?.labels?.[ZONE_LABEL];
  const nodeName = pod.spec?.nodeName;
  const hints = ready ? hintsFor(service, zone, nodeName) : undefined;
  const hostname = endpointHostname(service, pod);
  return {
    addresses,
    conditions: { ready, serving, terminating },
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName !== undefined && { nodeName }),
    ...(zone !== undefined && { zone }),
    ...(hostname !== undefined && { hostname }),
    ...(hints !== undefined && { hints }),
  };
}

/** A pod has a DNS name of its own where its subdomain is the Service. */
export function endpointHostname(service: Service, pod: Pod): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  if (hostname === undefined || hostname === '' || subdomain !== service.metadata?.name) return undefined;
  return hostname;
}

function hintsFor(service: Service, zone: string | undefined, nodeName: string | undefined): Endpoint['hints'] {
  const wish = service.spec?.trafficDistribution;
  if (zone === undefined) return undefined;
  if (wish === 'PreferClose' || wish === 'PreferSameZone') return { forZones: [{ name: zone }] };
  if (wish !== 'PreferSameNode' || nodeName === undefined) return undefined;
  return { forZones: [{ name: zone }], forNodes: [{ name: nodeName }] };
}

function endpointPorts(service: Service, pod: Pod): DiscoveryV1EndpointPort[] {
  const ports: DiscoveryV1EndpointPort[] = [];
  for (const servicePort of service.spec?.ports ?? []) {
    const port = findPort(pod, servicePort);
    if (port === undefined) continue;
    ports.push({
      name: servicePort.name ?? '',
      port,
      protocol: servicePort.protocol ?? 'TCP',
      ...(servicePort.appProtocol !== undefined && { appProtocol: servicePort.appProtocol }),
    });
  }
  return ports;
}

/** The number behind a Service port on this pod; a name is looked up in its containers and sidecars. */
export function findPort(pod: Pod, servicePort: ServicePort): number | undefined {
  const target = servicePort.targetPort ?? servicePort.port;
  if (typeof target === 'number') return target === 0 ? servicePort.port : target;
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const port of container.ports ?? []) {
      if (port.name === target && (port.protocol ?? 'TCP') === (servicePort.protocol ?? 'TCP')) {
        return port.containerPort;
      }
    }
  }
  return undefined;
}
