import type { EndpointSlice, Node, Pod, Service } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';
import { type AddressType, addressTypes, desiredGroups, isHeadless, type PortGroup } from './desired.ts';
import { packSlices, type SlicePlan } from './packing.ts';

/** Endpoints of one slice (upstream's default). */
export const ENDPOINTS_PER_SLICE_MAX = 100;
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
export const MANAGED_BY = 'endpointslice-controller.k8s.io';
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';

const RESERVED_LABELS: readonly string[] = [MANAGED_BY_LABEL, SERVICE_NAME_LABEL, HEADLESS_LABEL];

export interface SliceInput {
  readonly service: Service;
  /** Those its selector matches. */
  readonly pods: readonly Pod[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** Slices of the Service that this controller manages. */
  readonly slices: readonly EndpointSlice[];
}

/** Brings the slices of a Service to what its pods say. */
export function planSlices(input: SliceInput): SlicePlan {
  const { service, pods, nodeOf, slices } = input;
  const { name = '', namespace = '', uid = '', creationTimestamp } = service.metadata ?? {};
  const wanted = new Map<AddressType, ReadonlyMap<string, PortGroup>>();
  for (const family of addressTypes(service)) wanted.set(family, desiredGroups(service, pods, nodeOf, family));
  const frame = {
    generateName: `${name}-`,
    namespace,
    owner: { apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true },
    labels: sliceLabels(service),
    annotations: {},
    endpointsMax: ENDPOINTS_PER_SLICE_MAX,
    placeholder: true,
    createdMs: timeMs(creationTimestamp),
  };
  return packSlices(frame, wanted, slices);
}

/** The Service's own labels, and those by which slices are found. */
function sliceLabels(service: Service): Readonly<Record<string, string>> {
  const own = Object.entries(service.metadata?.labels ?? {}).filter(([key]) => !RESERVED_LABELS.includes(key));
  return {
    ...Object.fromEntries(own),
    ...(isHeadless(service) && { [HEADLESS_LABEL]: '' }),
    [SERVICE_NAME_LABEL]: service.metadata?.name ?? '',
    [MANAGED_BY_LABEL]: MANAGED_BY,
  };
}
