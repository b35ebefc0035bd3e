import type { Endpoint, EndpointSlice, Node, Pod, Service } from '@wherry/api';
import { readySinceMs, timeMs } from '../../pods/readiness.ts';
import { canonicalJson } from '../../pods/template-hash.ts';
import {
  type AddressType,
  addressTypes,
  type DesiredEndpoint,
  desiredGroups,
  endpointKey,
  isHeadless,
  type PortGroup,
  portsKey,
} from './desired.ts';

/** Endpoints of one slice (upstream's default). */
export const ENDPOINTS_PER_SLICE_MAX = 100;
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
export const MANAGED_BY = 'endpointslice-controller.k8s.io';
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';
export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

const RESERVED_LABELS: readonly string[] = [MANAGED_BY_LABEL, SERVICE_NAME_LABEL, HEADLESS_LABEL];

export interface SliceInput {
  readonly service: Service;
  /** Those its selector matches. */
  readonly pods: readonly Pod[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** Slices of the Service that this controller manages. */
  readonly slices: readonly EndpointSlice[];
}

export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
  readonly why: string;
}

/** A slice in the making. */
interface Draft {
  readonly slice: EndpointSlice | undefined;
  readonly ports: PortGroup['ports'];
  readonly endpoints: Endpoint[];
  changed: boolean;
}

/** Brings the slices of a Service to what its pods say, touching as few slices as it can. */
export function planSlices(input: SliceInput): SlicePlan {
  const { service } = input;
  const families = addressTypes(service);
  const uid = service.metadata?.uid ?? '';
  const usable = (slice: EndpointSlice) =>
    slice.metadata?.deletionTimestamp === undefined &&
    (slice.metadata?.ownerReferences ?? []).some((owner) => owner.uid === uid) &&
    families.some((family) => family === slice.addressType);
  const plan = { create: [] as EndpointSlice[], update: [] as EndpointSlice[], delete: [] as EndpointSlice[] };
  plan.delete.push(
    ...input.slices.filter((slice) => !usable(slice) && slice.metadata?.deletionTimestamp === undefined),
  );
  let endpoints = 0;
  for (const family of families) {
    const slices = input.slices.filter((slice) => usable(slice) && slice.addressType === family);
    endpoints += planFamily(input, family, slices, plan);
  }
  return { ...plan, why: `${endpoints} endpoints of ${input.pods.length} pods` };
}

function planFamily(
  input: SliceInput,
  family: AddressType,
  slices: readonly EndpointSlice[],
  plan: { readonly create: EndpointSlice[]; readonly update: EndpointSlice[]; readonly delete: EndpointSlice[] },
): number {
  const groups = desiredGroups(input.service, input.pods, input.nodeOf, family);
  const byPorts = Map.groupBy(slices, (slice) => portsKey(slice.ports ?? []));
  const drafts: Draft[] = [];
  const spare: EndpointSlice[] = [];
  const changes: Pod[] = [];
  let count = 0;
  for (const [key, group] of groups) {
    count += group.endpoints.size;
    fill(group, byPorts.get(key) ?? [], drafts, spare, changes);
  }
  for (const [key, unused] of byPorts) if (!groups.has(key)) spare.push(...unused);
  // A Service always has a slice, so that consumers can tell "none" from "not known yet".
  if (drafts.length === 0) drafts.push(placeholder(spare));
  const trigger = triggerTime(input.service, changes, slices.length === 0);
  for (const draft of drafts) {
    if (draft.slice !== undefined && !draft.changed && sameLabels(input.service, draft.slice)) continue;
    // A slice that would go is turned into one that would come: one write instead of two.
    const base = draft.slice ?? spare.shift();
    const next = sliceOf(input.service, family, base, draft, trigger);
    (base === undefined ? plan.create : plan.update).push(next);
  }
  plan.delete.push(...spare);
  return count;
}

function placeholder(spare: EndpointSlice[]): Draft {
  const index = spare.findIndex(({ endpoints, ports }) => (endpoints ?? []).length === 0 && (ports ?? []).length === 0);
  if (index === -1) return { slice: undefined, ports: [], endpoints: [], changed: true };
  const [slice] = spare.splice(index, 1);
  return { slice, ports: [], endpoints: [], changed: false };
}

/** Keeps endpoints in the slices they are in, then fills slices that change anyway, then others, then new ones. */
function fill(
  group: PortGroup,
  existing: readonly EndpointSlice[],
  drafts: Draft[],
  spare: EndpointSlice[],
  changes: Pod[],
): void {
  const missing = new Map(group.endpoints);
  const kept: Draft[] = [];
  for (const slice of existing) {
    const draft: Draft = { slice, ports: group.ports, endpoints: [], changed: false };
    for (const endpoint of slice.endpoints ?? []) {
      const key = endpointKey(endpoint);
      const desired = missing.get(key);
      missing.delete(key);
      if (desired === undefined) {
        draft.changed = true;
        continue;
      }
      draft.endpoints.push(desired.endpoint);
      if (canonicalJson(endpoint) === canonicalJson(desired.endpoint)) continue;
      draft.changed = true;
      changes.push(desired.pod);
    }
    kept.push(draft);
  }
  const rest = [...missing.values()];
  changes.push(...rest.map(({ pod }) => pod));
  place(rest, kept.filter((draft) => draft.changed).sort(fullestFirst));
  if (rest.length > 0) {
    const roomy = kept.filter((draft) => draft.endpoints.length + rest.length <= ENDPOINTS_PER_SLICE_MAX);
    place(rest, roomy.sort(fullestFirst));
  }
  while (rest.length > 0) {
    const fresh: Draft = { slice: undefined, ports: group.ports, endpoints: [], changed: true };
    place(rest, [fresh]);
    kept.push(fresh);
  }
  for (const draft of kept) {
    if (draft.endpoints.length > 0) drafts.push(draft);
    else if (draft.slice !== undefined) spare.push(draft.slice);
  }
}

const fullestFirst = (left: Draft, right: Draft) => right.endpoints.length - left.endpoints.length;

function place(rest: DesiredEndpoint[], drafts: readonly Draft[]): void {
  for (const draft of drafts) {
    while (rest.length > 0 && draft.endpoints.length < ENDPOINTS_PER_SLICE_MAX) {
      const next = rest.shift();
      if (next === undefined) return;
      draft.endpoints.push(next.endpoint);
      draft.changed = true;
    }
  }
}

function sliceOf(
  service: Service,
  addressType: AddressType,
  base: EndpointSlice | undefined,
  draft: Draft,
  trigger: string | undefined,
): EndpointSlice {
  const { name = '', namespace = '', uid = '' } = service.metadata ?? {};
  const { [TRIGGER_TIME]: _, ...annotations } = base?.metadata?.annotations ?? {};
  const owner = { apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...(base?.metadata ?? { generateName: `${name}-`, namespace, ownerReferences: [owner] }),
      labels: sliceLabels(service),
      annotations: { ...annotations, ...(trigger !== undefined && { [TRIGGER_TIME]: trigger }) },
    },
    addressType,
    endpoints: draft.endpoints,
    ports: draft.ports,
  };
}

/** The Service's own labels, and those by which slices are found. */
export function sliceLabels(service: Service): Readonly<Record<string, string>> {
  const own = Object.entries(service.metadata?.labels ?? {}).filter(([key]) => !RESERVED_LABELS.includes(key));
  return {
    ...Object.fromEntries(own),
    ...(isHeadless(service) && { [HEADLESS_LABEL]: '' }),
    [SERVICE_NAME_LABEL]: service.metadata?.name ?? '',
    [MANAGED_BY_LABEL]: MANAGED_BY,
  };
}

function sameLabels(service: Service, slice: EndpointSlice): boolean {
  return canonicalJson(sliceLabels(service)) === canonicalJson(slice.metadata?.labels ?? {});
}

/** When the oldest of the changes happened that this write tells of; consumers measure latency by it. */
export function triggerTime(service: Service, changed: readonly Pod[], first: boolean): string | undefined {
  const times = changed.map(readySinceMs);
  if (first) times.push(timeMs(service.metadata?.creationTimestamp));
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : new Date(Math.min(...known)).toISOString().replace('.000Z', 'Z');
}
