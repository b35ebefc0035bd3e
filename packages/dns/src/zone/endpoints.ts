import type { EndpointSlice } from '@wherry/api';

export interface ZoneEndpoint {
  readonly address: string;
  readonly family: 'A' | 'AAAA';
  /** The endpoint's own label below its service: its hostname, or its address with dashes. */
  readonly label: string;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

/** The ready endpoints behind a service, each address once, in a fixed order. */
export function endpointsOf(slices: readonly EndpointSlice[]): readonly ZoneEndpoint[] {
  const found = new Map<string, ZoneEndpoint>();
  for (const slice of slices) {
    const family = slice.addressType === 'IPv4' ? 'A' : slice.addressType === 'IPv6' ? 'AAAA' : undefined;
    if (family === undefined) continue;
    const ports = (slice.ports ?? []).flatMap(({ name = '', protocol = 'TCP', port }) =>
      port === undefined ? [] : [{ name, protocol: protocol.toLowerCase(), port }],
    );
    for (const { addresses, conditions, hostname } of slice.endpoints ?? []) {
      if (conditions?.ready === false) continue;
      for (const address of addresses) {
        const known = found.get(address);
        const label = hostname ?? address.replaceAll(/[.:]/g, '-');
        found.set(address, { address, family, label, ports: [...(known?.ports ?? []), ...ports] });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}
