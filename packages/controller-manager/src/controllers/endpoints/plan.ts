import {
  type EndpointAddress,
  type EndpointPort,
  type EndpointSubset,
  type Endpoints,
  isPodReady,
  isPodTerminal,
  type Pod,
  type Service,
} from '@wherry/api';
import { readySinceMs, timeMs } from '../../pods/readiness.ts';
import { canonicalJson } from '../../pods/template-hash.ts';
import { addressTypes, endpointHostname, findPort, isHeadless, podAddresses } from '../endpoint-slice/desired.ts';
import { TRIGGER_TIME, triggerTime } from '../endpoint-slice/packing.ts';
import { HEADLESS_LABEL } from '../endpoint-slice/plan.ts';

/** Addresses one Endpoints object holds at most; what is beyond is left out and said so. */
const ADDRESSES_MAX = 1000;
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
const MANAGED_BY_LABEL = 'endpoints.kubernetes.io/managed-by';
const MANAGED_BY = 'endpoint-controller';

export interface EndpointsInput {
  readonly service: Service;
  /** Those its selector matches. */
  readonly pods: readonly Pod[];
  readonly existing: Endpoints | undefined;
}

/** The Endpoints object to store, or undefined when the stored one is right. */
export function planEndpoints({ service, pods, existing }: EndpointsInput): Endpoints | undefined {
  const all = subsetsOf(service, pods);
  const subsets = truncate(all);
  const labels = endpointsLabels(service);
  const overCapacity = existing?.metadata?.annotations?.[OVER_CAPACITY];
  const wantedCapacity = subsets === all ? undefined : 'truncated';
  const same =
    existing !== undefined &&
    canonicalJson(existing.subsets ?? []) === canonicalJson(subsets) &&
    canonicalJson(existing.metadata?.labels ?? {}) === canonicalJson(labels) &&
    overCapacity === wantedCapacity;
  if (same) return undefined;
  const { name = '', namespace = '' } = service.metadata ?? {};
  const { [TRIGGER_TIME]: _, [OVER_CAPACITY]: __, ...annotations } = existing?.metadata?.annotations ?? {};
  const created = existing === undefined ? [timeMs(service.metadata?.creationTimestamp)] : [];
  const trigger = triggerTime([...created, ...changedPods(pods, existing).map(readySinceMs)]);
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...(existing?.metadata ?? { name, namespace }),
      labels,
      annotations: {
        ...annotations,
        ...(trigger !== undefined && { [TRIGGER_TIME]: trigger }),
        ...(wantedCapacity !== undefined && { [OVER_CAPACITY]: wantedCapacity }),
      },
    },
    subsets,
  };
}

function endpointsLabels(service: Service): Readonly<Record<string, string>> {
  const { [HEADLESS_LABEL]: _, ...own } = service.metadata?.labels ?? {};
  return { ...own, ...(isHeadless(service) && { [HEADLESS_LABEL]: '' }), [MANAGED_BY_LABEL]: MANAGED_BY };
}

/** One address with the ports it offers. */
interface Offer {
  readonly address: EndpointAddress;
  readonly ready: boolean;
  readonly ports: EndpointPort[];
}

function subsetsOf(service: Service, pods: readonly Pod[]): readonly EndpointSubset[] {
  const publishAll = service.spec?.publishNotReadyAddresses === true;
  const wantsIPv6 = addressTypes(service)[0] === 'IPv6';
  const portless = isHeadless(service) && (service.spec?.ports ?? []).length === 0;
  const groups = new Map<string, Offer[]>();
  for (const pod of pods) {
    const ip = podAddresses(pod).find((address) => address.includes(':') === wantsIPv6);
    const ending = pod.metadata?.deletionTimestamp !== undefined && !publishAll;
    if (ip === undefined || isPodTerminal(pod) || ending) continue;
    const ports = portsOf(service, pod);
    if (ports.length === 0 && !portless) continue;
    const offer = { address: addressOf(service, pod, ip), ready: publishAll || isPodReady(pod), ports };
    const key = canonicalJson(ports);
    groups.set(key, [...(groups.get(key) ?? []), offer]);
  }
  return [...groups].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, offers]) => subsetOf(offers));
}

function subsetOf(offers: readonly Offer[]): EndpointSubset {
  const sorted = [...offers].sort((left, right) => compareAddresses(left.address, right.address));
  const ready = sorted.filter((offer) => offer.ready).map((offer) => offer.address);
  const notReady = sorted.filter((offer) => !offer.ready).map((offer) => offer.address);
  const ports = offers[0]?.ports ?? [];
  return {
    ...(ready.length > 0 && { addresses: ready }),
    ...(notReady.length > 0 && { notReadyAddresses: notReady }),
    ...(ports.length > 0 && { ports }),
  };
}

function compareAddresses(left: EndpointAddress, right: EndpointAddress): number {
  if (left.ip !== right.ip) return left.ip < right.ip ? -1 : 1;
  return (left.targetRef?.uid ?? '') < (right.targetRef?.uid ?? '') ? -1 : 1;
}

function addressOf(service: Service, pod: Pod, ip: string): EndpointAddress {
  const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
  const nodeName = pod.spec?.nodeName;
  const hostname = endpointHostname(service, pod);
  return {
    ip,
    ...(nodeName !== undefined && { nodeName }),
    ...(hostname !== undefined && { hostname }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

function portsOf(service: Service, pod: Pod): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const servicePort of service.spec?.ports ?? []) {
    const port = findPort(pod, servicePort);
    if (port === undefined) continue;
    const { name, protocol = 'TCP', appProtocol } = servicePort;
    ports.push({
      ...(name !== undefined && name !== '' && { name }),
      port,
      protocol,
      ...(appProtocol !== undefined && { appProtocol }),
    });
  }
  return ports.sort((left, right) => (canonicalJson(left) < canonicalJson(right) ? -1 : 1));
}

/** Ready addresses stay before those that are not. */
function truncate(subsets: readonly EndpointSubset[]): readonly EndpointSubset[] {
  const total = subsets.reduce(
    (sum, { addresses, notReadyAddresses }) => sum + (addresses?.length ?? 0) + (notReadyAddresses?.length ?? 0),
    0,
  );
  if (total <= ADDRESSES_MAX) return subsets;
  let room = ADDRESSES_MAX;
  const take = (addresses: readonly EndpointAddress[] = []): readonly EndpointAddress[] => {
    const taken = addresses.slice(0, room);
    room -= taken.length;
    return taken;
  };
  const ready = subsets.map(({ addresses }) => take(addresses));
  const notReady = subsets.map(({ notReadyAddresses }) => take(notReadyAddresses));
  return subsets.flatMap((subset, index) => {
    const [addresses = [], notReadyAddresses = []] = [ready[index], notReady[index]];
    if (addresses.length + notReadyAddresses.length === 0) return [];
    return [
      {
        ...(addresses.length > 0 && { addresses }),
        ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
        ...(subset.ports !== undefined && { ports: subset.ports }),
      },
    ];
  });
}

/** Pods whose readiness is not what the stored object says. */
function changedPods(pods: readonly Pod[], existing: Endpoints | undefined): readonly Pod[] {
  const ready = new Set<string>();
  for (const subset of existing?.subsets ?? []) {
    for (const address of subset.addresses ?? []) ready.add(address.targetRef?.uid ?? '');
  }
  return pods.filter((pod) => isPodReady(pod) !== ready.has(pod.metadata?.uid ?? ''));
}
