import type { Protocol } from './service-rules.ts';

/** Our own table; no rule of anybody else is ever read, changed or removed. */
export const TABLE = 'wherry-proxy';

/** The packet mark that asks for masquerading, the bit upstream uses too. */
const MASQUERADE_MARK = '0x4000';

/** The endpoint maps' second range of slots: all endpoints of a service whose first range holds only local ones. */
export const SHORTCUT_SLOT_FIRST = 65_536;

/** Doors are told apart by address and port, or by the port alone. */
export type DoorKind = 'service' | 'node-port';

const SERVICE_KEY = 'ip daddr . meta l4proto . th dport';
const NODE_PORT_KEY = 'meta l4proto . th dport';

export interface TableOptions {
  /** Addresses of pods. Traffic to a service from elsewhere is masqueraded; undefined: only what must be. */
  readonly clusterCidr: string | undefined;
  /** CIDRs of the node addresses NodePorts answer on; empty: all but loopback. */
  readonly nodePortCidrs: readonly string[];
}

/**
 * The part of the table that does not depend on services. Services only add elements to its maps and, by number of
 * endpoints, small shared chains: the cost of a change does not grow with the number of services (nft reads all
 * chains of a table again after each change, but not the elements of plain sets).
 */
export function skeleton(options: TableOptions): readonly string[] {
  const t = `ip ${TABLE}`;
  const sets = [
    ...options.nodePortCidrs.slice(0, 1).map(() => 'set node-port-ips { type ipv4_addr; flags interval; }'),
    'set cluster-ips { type ipv4_addr; }',
    'set hairpins { type ipv4_addr . ipv4_addr; }',
    'map services { type ipv4_addr . inet_proto . inet_service : verdict; }',
    'map service-shortcuts { type ipv4_addr . inet_proto . inet_service : verdict; }',
    'map node-ports { type inet_proto . inet_service : verdict; }',
    'map node-port-shortcuts { type inet_proto . inet_service : verdict; }',
    'map refused-services { type ipv4_addr . inet_proto . inet_service : verdict; }',
    'map refused-node-ports { type inet_proto . inet_service : verdict; }',
    // A map for each protocol: nft (1.0.6) cannot add a rule later that uses a map of ports of any protocol.
    ...(['tcp', 'udp', 'sctp'] as const).flatMap((protocol) =>
      (['service', 'node-port'] as const).map((door) => {
        const key = `${slotKey(door, protocol)} . numgen random mod 2`;
        return `map ${endpointMap(door, protocol)} { typeof ${key} : ip daddr . ${protocol} dport; }`;
      }),
    ),
  ].map((declaration) => {
    const [kind, name, ...body] = declaration.split(' ');
    return `add ${kind} ${t} ${name} ${body.join(' ')}`;
  });
  const cidrs = options.nodePortCidrs.map((cidr) => `add element ${t} node-port-ips { ${cidr} }`);
  return [...sets, ...cidrs, ...translationChains(t, options), ...filterChains(t, options)];
}

function nodePortMatch(options: TableOptions): string {
  const chosen = options.nodePortCidrs.length === 0 ? '' : ' ip daddr @node-port-ips';
  return `ip daddr != 127.0.0.0/8${chosen} fib daddr type local`;
}

function translationChains(t: string, options: TableOptions): readonly string[] {
  const fromElsewhere =
    options.clusterCidr === undefined
      ? []
      : [`ip daddr @cluster-ips ip saddr != ${options.clusterCidr} jump mark-for-masquerade`];
  return [
    ...chain(t, 'mark-for-masquerade', [`meta mark set meta mark or ${MASQUERADE_MARK}`]),
    ...chain(t, 'reject-traffic', ['reject']),
    ...chain(t, 'translate', [
      ...fromElsewhere,
      `${SERVICE_KEY} vmap @services`,
      `${nodePortMatch(options)} ${NODE_PORT_KEY} vmap @node-ports`,
    ]),
    ...hook(t, 'nat-prerouting', 'type nat hook prerouting priority -100', ['jump translate']),
    ...hook(t, 'nat-output', 'type nat hook output priority -100', ['jump translate']),
    ...hook(t, 'nat-postrouting', 'type nat hook postrouting priority 100', [
      `meta mark and ${MASQUERADE_MARK} != 0 meta mark set meta mark xor ${MASQUERADE_MARK} masquerade fully-random`,
      // A pod that reaches itself through its own service would see its own address as the client's.
      'ct status dnat ip saddr . ip daddr @hairpins masquerade fully-random',
    ]),
  ];
}

function filterChains(t: string, options: TableOptions): readonly string[] {
  const refused = `ct state new ${SERVICE_KEY} vmap @refused-services`;
  // A known cluster IP on a port that no service has.
  const unknownPort = 'ct state new ip daddr @cluster-ips goto reject-traffic';
  return [
    ...hook(t, 'filter-forward', 'type filter hook forward priority -110', [refused, unknownPort]),
    ...hook(t, 'filter-input', 'type filter hook input priority -110', [
      `ct state new ${nodePortMatch(options)} ${NODE_PORT_KEY} vmap @refused-node-ports`,
      refused,
    ]),
    ...hook(t, 'filter-output', 'type filter hook output priority -110', [refused]),
    ...hook(t, 'filter-output-translated', 'type filter hook output priority -90', [unknownPort]),
  ];
}

function hook(t: string, name: string, declaration: string, rules: readonly string[]): readonly string[] {
  return [`add chain ${t} ${name} { ${declaration}; }`, ...rules.map((rule) => `add rule ${t} ${name} ${rule}`)];
}

function chain(t: string, name: string, rules: readonly string[]): readonly string[] {
  return [`add chain ${t} ${name}`, ...rules.map((rule) => `add rule ${t} ${name} ${rule}`)];
}

/** The map from door and slot to endpoint. */
export function endpointMap(door: DoorKind, protocol: Protocol): string {
  return `${door}-endpoints-${protocol}`;
}

/** Translation to the endpoint in a random one of `count` slots from `first` on. */
export function slotLookup(door: DoorKind, protocol: Protocol, count: number, first: number): string {
  const slot = `numgen random mod ${count}${first === 0 ? '' : ` offset ${first}`}`;
  return `meta l4proto ${protocol} dnat ip to ${slotKey(door, protocol)} . ${slot} map @${endpointMap(door, protocol)}`;
}

function slotKey(door: DoorKind, protocol: Protocol): string {
  return door === 'service' ? `ip daddr . ${protocol} dport` : `${protocol} dport`;
}

/** Rules before a Local-policy door: clients on this node may use every endpoint of the cluster. */
export function shortcutRules(door: DoorKind, clusterCidr: string | undefined): readonly string[] {
  const key = door === 'service' ? SERVICE_KEY : NODE_PORT_KEY;
  return [
    ...(clusterCidr === undefined ? [] : [`ip saddr ${clusterCidr} ${key} vmap @${door}-shortcuts`]),
    'fib saddr type local jump mark-for-masquerade',
    `fib saddr type local ${key} vmap @${door}-shortcuts`,
  ];
}
