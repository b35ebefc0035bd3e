import type { EndpointSlice, ServicePort } from '@wherry/api';

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** An endpoint with the facts that decide whether it may get traffic. */
export interface Candidate extends Endpoint {
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly local: boolean;
}

export interface EndpointCategories {
  readonly cluster: readonly Endpoint[];
  readonly local: readonly Endpoint[];
}

/** Every IPv4 endpoint behind one service port, each address once, in a fixed order. */
export function endpointsOfPort(
  slices: readonly EndpointSlice[],
  servicePort: ServicePort,
  nodeName: string,
): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    const port = slice.ports?.find(
      (one) =>
        (one.name ?? '') === (servicePort.name ?? '') &&
        (one.protocol ?? 'TCP') === (servicePort.protocol ?? 'TCP') &&
        one.port !== undefined,
    )?.port;
    if (port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const ip = endpoint.addresses[0];
      if (ip === undefined) continue;
      const ready = endpoint.conditions?.ready ?? true;
      const candidate: Candidate = {
        ip,
        port,
        ready,
        serving: endpoint.conditions?.serving ?? ready,
        terminating: endpoint.conditions?.terminating ?? false,
        local: endpoint.nodeName === nodeName,
      };
      // While an endpoint moves between slices it is in both for a moment: the ready one wins.
      const key = `${ip}:${port}`;
      const known = found.get(key);
      if (known === undefined || (!known.ready && candidate.ready)) found.set(key, candidate);
    }
  }
  return [...found.values()].sort((a, b) => compareAddresses(a, b));
}

/**
 * Which endpoints get traffic: the ready ones; where there are none, those that still serve while terminating
 * (KEP-1669), decided separately for the cluster and for this node.
 */
export function categorizeEndpoints(candidates: readonly Candidate[]): EndpointCategories {
  return { cluster: usable(candidates), local: usable(candidates.filter((one) => one.local)) };
}

function usable(candidates: readonly Candidate[]): readonly Endpoint[] {
  const ready = candidates.filter((one) => one.ready);
  const chosen = ready.length > 0 ? ready : candidates.filter((one) => one.serving && one.terminating);
  return chosen.map(({ ip, port }) => ({ ip, port }));
}

export function endpointKey(endpoint: Endpoint): string {
  return `${endpoint.ip}:${endpoint.port}`;
}

function compareAddresses(a: Endpoint, b: Endpoint): number {
  return a.ip === b.ip ? a.port - b.port : a.ip < b.ip ? -1 : 1;
}

/**
 * Gives each wanted endpoint a slot 0…n-1 and leaves it in the slot it had, so that one endpoint coming or going
 * changes one or two slots and not all of them.
 */
export function placeEndpoints(previous: readonly Endpoint[], wanted: readonly Endpoint[]): readonly Endpoint[] {
  const unplaced = new Map(wanted.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const slots: (Endpoint | undefined)[] = wanted.map((_, index) => {
    const kept = previous[index];
    if (kept === undefined || !unplaced.delete(endpointKey(kept))) return undefined;
    return kept;
  });
  const rest = unplaced.values();
  return slots.map((slot) => {
    if (slot !== undefined) return slot;
    const next = rest.next().value;
    if (next === undefined) throw new Error(`Cannot place ${wanted.length} endpoints: an address is listed twice`);
    return next;
  });
}
