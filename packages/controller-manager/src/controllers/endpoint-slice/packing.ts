import type { Endpoint, EndpointSlice, OwnerReference } from '@wherry/api';
import { canonicalJson } from '../../pods/template-hash.ts';
import { type AddressType, type DesiredEndpoint, endpointKey, type PortGroup, portsKey } from './desired.ts';

/** Annotation by which consumers measure how long a change took to reach them. */
export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

/** What all slices of one Service have in common. */
export interface SliceFrame {
  readonly generateName: string;
  readonly namespace: string;
  readonly owner: OwnerReference;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly endpointsMax: number;
  /** Keep one empty slice when there are no endpoints. */
  readonly placeholder: boolean;
  /** Since when what the slices tell of exists. */
  readonly createdMs: number | undefined;
}

export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

/** A slice in the making. */
interface Draft {
  readonly slice: EndpointSlice | undefined;
  readonly ports: PortGroup['ports'];
  readonly endpoints: Endpoint[];
  changed: boolean;
}

/**
 * Brings slices to the endpoints wanted for each family, touching as few as it can.
 * @param existing slices managed by the same controller for the same Service
 */
export function packSlices(
  frame: SliceFrame,
  wanted: ReadonlyMap<AddressType, ReadonlyMap<string, PortGroup>>,
  existing: readonly EndpointSlice[],
): SlicePlan {
  const alive = existing.filter((slice) => slice.metadata?.deletionTimestamp === undefined);
  const usable = (slice: EndpointSlice) =>
    (slice.metadata?.ownerReferences ?? []).some(({ uid }) => uid === frame.owner.uid) &&
    [...wanted.keys()].some((family) => family === slice.addressType);
  const plan = { create: [] as EndpointSlice[], update: [] as EndpointSlice[], delete: [] as EndpointSlice[] };
  plan.delete.push(...alive.filter((slice) => !usable(slice)));
  for (const [family, groups] of wanted) {
    const slices = alive.filter((slice) => usable(slice) && slice.addressType === family);
    packFamily(frame, family, groups, slices, plan);
  }
  return plan;
}

function packFamily(
  frame: SliceFrame,
  family: AddressType,
  groups: ReadonlyMap<string, PortGroup>,
  slices: readonly EndpointSlice[],
  plan: { readonly create: EndpointSlice[]; readonly update: EndpointSlice[]; readonly delete: EndpointSlice[] },
): void {
  const byPorts = Map.groupBy(slices, (slice) => portsKey(slice.ports ?? []));
  const drafts: Draft[] = [];
  const spare: EndpointSlice[] = [];
  const changes: (number | undefined)[] = slices.length === 0 ? [frame.createdMs] : [];
  for (const [key, group] of groups) fill(frame, group, byPorts.get(key) ?? [], drafts, spare, changes);
  for (const [key, unused] of byPorts) if (!groups.has(key)) spare.push(...unused);
  // A Service always has a slice, so that consumers can tell "none" from "not known yet".
  if (drafts.length === 0 && frame.placeholder) drafts.push(placeholder(spare));
  const trigger = triggerTime(changes);
  for (const draft of drafts) {
    if (draft.slice !== undefined && !draft.changed && sameFrame(frame, draft.slice)) continue;
    // A slice that would go is turned into one that would come: one write instead of two.
    const base = draft.slice ?? spare.shift();
    (base === undefined ? plan.create : plan.update).push(sliceOf(frame, family, base, draft, trigger));
  }
  plan.delete.push(...spare);
}

function placeholder(spare: EndpointSlice[]): Draft {
  const index = spare.findIndex(({ endpoints, ports }) => (endpoints ?? []).length === 0 && (ports ?? []).length === 0);
  if (index === -1) return { slice: undefined, ports: [], endpoints: [], changed: true };
  const [slice] = spare.splice(index, 1);
  return { slice, ports: [], endpoints: [], changed: false };
}

/** Keeps endpoints in the slices they are in, then fills slices that change anyway, then others, then new ones. */
function fill(
  frame: SliceFrame,
  group: PortGroup,
  existing: readonly EndpointSlice[],
  drafts: Draft[],
  spare: EndpointSlice[],
  changes: (number | undefined)[],
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
      changes.push(desired.sinceMs);
    }
    kept.push(draft);
  }
  const rest = [...missing.values()];
  changes.push(...rest.map(({ sinceMs }) => sinceMs));
  place(frame, rest, kept.filter((draft) => draft.changed).sort(fullestFirst));
  if (rest.length > 0) {
    const roomy = kept.filter((draft) => draft.endpoints.length + rest.length <= frame.endpointsMax);
    place(frame, rest, roomy.sort(fullestFirst));
  }
  while (rest.length > 0) {
    const fresh: Draft = { slice: undefined, ports: group.ports, endpoints: [], changed: true };
    place(frame, rest, [fresh]);
    kept.push(fresh);
  }
  for (const draft of kept) {
    if (draft.endpoints.length > 0) drafts.push(draft);
    else if (draft.slice !== undefined) spare.push(draft.slice);
  }
}

const fullestFirst = (left: Draft, right: Draft) => right.endpoints.length - left.endpoints.length;

function place(frame: SliceFrame, rest: DesiredEndpoint[], drafts: readonly Draft[]): void {
  for (const draft of drafts) {
    while (rest.length > 0 && draft.endpoints.length < frame.endpointsMax) {
      const next = rest.shift();
      if (next === undefined) return;
      draft.endpoints.push(next.endpoint);
      draft.changed = true;
    }
  }
}

function sliceOf(
  frame: SliceFrame,
  addressType: AddressType,
  base: EndpointSlice | undefined,
  draft: Draft,
  trigger: string | undefined,
): EndpointSlice {
  const { generateName, namespace, owner, labels, annotations } = frame;
  const { [TRIGGER_TIME]: _, ...kept } = base?.metadata?.annotations ?? {};
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...(base?.metadata ?? { generateName, namespace, ownerReferences: [owner] }),
      labels,
      annotations: { ...kept, ...annotations, ...(trigger !== undefined && { [TRIGGER_TIME]: trigger }) },
    },
    addressType,
    endpoints: draft.endpoints,
    ports: draft.ports,
  };
}

function sameFrame({ labels, annotations }: SliceFrame, { metadata }: EndpointSlice): boolean {
  if (canonicalJson(labels) !== canonicalJson(metadata?.labels ?? {})) return false;
  return Object.entries(annotations).every(([key, value]) => metadata?.annotations?.[key] === value);
}

/** When the oldest of the changes happened that a write tells of. */
export function triggerTime(changes: readonly (number | undefined)[]): string | undefined {
  const known = changes.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : new Date(Math.min(...known)).toISOString().replace('.000Z', 'Z');
}
