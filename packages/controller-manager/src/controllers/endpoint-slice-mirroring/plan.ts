import type { Endpoint, EndpointAddress, EndpointSlice, EndpointSubset, Endpoints, Service } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';
import {
  type AddressType,
  type DesiredEndpoint,
  endpointKey,
  type PortGroup,
  portsKey,
} from '../endpoint-slice/desired.ts';
import { packSlices, type SlicePlan, TRIGGER_TIME } from '../endpoint-slice/packing.ts';
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from '../endpoint-slice/plan.ts';
import { hasSelector } from '../endpoint-slice/selection.ts';

export const MIRROR_MANAGED_BY = 'endpointslicemirroring-controller.k8s.io';
const SKIP_LABEL = 'endpointslice.kubernetes.io/skip-mirror';
/** Endpoints by which old leader elections kept their locks. */
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';
const NOT_COPIED: readonly string[] = [TRIGGER_TIME, 'kubectl.kubernetes.io/last-applied-configuration'];
/** Endpoints mirrored of one subset, and endpoints of one slice (upstream's defaults). */
const ENDPOINTS_PER_SUBSET_MAX = 1000;
const ENDPOINTS_PER_SLICE_MAX = 100;

/** Hand-made Endpoints of a Service without a selector are mirrored, so that consumers need only read slices. */
export function isMirrored(endpoints: Endpoints | undefined, service: Service | undefined): boolean {
  if (endpoints === undefined || service === undefined || hasSelector(service)) return false;
  const { labels, annotations, deletionTimestamp } = endpoints.metadata ?? {};
  if (deletionTimestamp !== undefined || labels?.[SKIP_LABEL] === 'true') return false;
  return annotations?.[LEADER_ANNOTATION] === undefined;
}

export function planMirror(endpoints: Endpoints, slices: readonly EndpointSlice[]): SlicePlan {
  const { name = '', namespace = '', uid = '', labels, annotations, creationTimestamp } = endpoints.metadata ?? {};
  const copied = Object.entries(annotations ?? {}).filter(([key]) => !NOT_COPIED.includes(key));
  const frame = {
    generateName: `${name}-`,
    namespace,
    owner: { apiVersion: 'v1', kind: 'Endpoints', name, uid, controller: true, blockOwnerDeletion: true },
    labels: { ...labels, [SERVICE_NAME_LABEL]: name, [MANAGED_BY_LABEL]: MIRROR_MANAGED_BY },
    annotations: Object.fromEntries(copied),
    endpointsMax: ENDPOINTS_PER_SLICE_MAX,
    placeholder: false,
    createdMs: timeMs(annotations?.[TRIGGER_TIME]) ?? timeMs(creationTimestamp),
  };
  return packSlices(frame, groupsOf(endpoints), slices);
}

function groupsOf(endpoints: Endpoints): ReadonlyMap<AddressType, ReadonlyMap<string, PortGroup>> {
  const wanted = new Map<AddressType, Map<string, PortGroup & { endpoints: Map<string, DesiredEndpoint> }>>([
    ['IPv4', new Map()],
    ['IPv6', new Map()],
  ]);
  for (const subset of endpoints.subsets ?? []) {
    const ports = (subset.ports ?? []).map((port) => ({
      ...port,
      name: port.name ?? '',
      protocol: port.protocol ?? 'TCP',
    }));
    for (const [address, ready] of addressesOf(subset)) {
      const groups = wanted.get(address.ip.includes(':') ? 'IPv6' : 'IPv4');
      const group = groups?.get(portsKey(ports)) ?? { ports, endpoints: new Map<string, DesiredEndpoint>() };
      const endpoint = endpointOf(address, ready);
      group.endpoints.set(endpointKey(endpoint), { endpoint, sinceMs: undefined });
      groups?.set(portsKey(ports), group);
    }
  }
  return wanted;
}

function addressesOf(subset: EndpointSubset): readonly (readonly [EndpointAddress, boolean])[] {
  const ready = (subset.addresses ?? []).map((address) => [address, true] as const);
  const notReady = (subset.notReadyAddresses ?? []).map((address) => [address, false] as const);
  return [...ready, ...notReady].slice(0, ENDPOINTS_PER_SUBSET_MAX);
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname !== undefined && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    ...(targetRef !== undefined && { targetRef }),
  };
}
