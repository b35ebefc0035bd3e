import { endpointsOf } from './difference.ts';
import { type Endpoint, endpointKey, placeEndpoints } from './endpoints.ts';
import type { ServiceRule, Target } from './service-rules.ts';
import {
  type DoorKind,
  endpointMap,
  SHORTCUT_SLOT_FIRST,
  shortcutRules,
  slotLookup,
  type TableOptions,
} from './skeleton.ts';

/** An element of one of the table's maps or sets; `data` is what its key leads to, empty in a set. */
export interface Element {
  readonly set: string;
  readonly key: string;
  readonly data: string;
}

/** What one service rule puts into the table. Chains and sets of the same name have the same content in all of them. */
export interface Contribution {
  readonly elements: readonly Element[];
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Those of the chains that stay once they exist: making and removing them costs more than having them. */
  readonly keptChains: ReadonlySet<string>;
  /** Dynamic sets of this rule, name → declaration. */
  readonly sets: ReadonlyMap<string, string>;
  /** In which slot each endpoint sits, for the next plan of the same rule. */
  readonly slots: DoorSlots;
}

export interface DoorSlots {
  readonly internal: readonly Endpoint[];
  readonly external: readonly Endpoint[];
  readonly shortcut: readonly Endpoint[];
}

const NO_SLOTS: DoorSlots = { internal: [], external: [], shortcut: [] };

/** Clients remembered per endpoint of a service with affinity; the oldest make room by their timeout. */
const AFFINITY_CLIENTS_MAX = 65_535;

/** Services with more endpoints than this are rare enough to give up their shared chain when the last one changes. */
const KEPT_ENDPOINTS_MAX = 32;

/** The nftables form of one service rule; `previous` keeps endpoints in their slots. */
export function contributionOf(rule: ServiceRule, options: TableOptions, previous: DoorSlots = NO_SLOTS): Contribution {
  const place = (door: keyof DoorSlots): readonly Endpoint[] => placeEndpoints(previous[door], endpointsOf(rule[door]));
  const slots: DoorSlots = { internal: place('internal'), external: place('external'), shortcut: place('shortcut') };
  const builder = new Builder(rule, options, slots);
  builder.clusterIp();
  for (const ip of rule.externalIps) builder.externalIp(ip);
  if (rule.nodePort !== 0) builder.nodePort();
  return {
    elements: builder.elements,
    chains: builder.chains,
    keptChains: builder.keptChains,
    sets: builder.sets,
    slots,
  };
}

interface DoorAddress {
  readonly kind: DoorKind;
  /** Its key in the verdict maps. */
  readonly key: string;
  /** Its key in the endpoint maps, to which the slot is added. */
  readonly slotKey: string;
}

class Builder {
  readonly elements: Element[] = [];
  readonly chains = new Map<string, readonly string[]>();
  readonly keptChains = new Set<string>();
  readonly sets = new Map<string, string>();
  readonly #rule: ServiceRule;
  readonly #options: TableOptions;
  readonly #slots: DoorSlots;

  constructor(rule: ServiceRule, options: TableOptions, slots: DoorSlots) {
    this.#rule = rule;
    this.#options = options;
    this.#slots = slots;
    for (const { ip } of [...slots.internal, ...slots.external, ...slots.shortcut]) {
      this.#element('hairpins', `${ip} . ${ip}`, '');
    }
  }

  clusterIp(): void {
    const rule = this.#rule;
    const door = this.#serviceDoor(rule.clusterIp);
    this.#element('cluster-ips', rule.clusterIp, '');
    if (rule.internal.kind !== 'forward') this.#refuse(door, rule.internal);
    else this.#element('services', door.key, `goto ${this.#doorChain('service', door, [], 'internal', 0)}`);
  }

  /** External traffic is masqueraded under the Cluster policy; under Local only what comes from this node is. */
  externalIp(ip: string): void {
    this.#outerDoor(this.#serviceDoor(ip));
  }

  nodePort(): void {
    const { protocol, nodePort } = this.#rule;
    this.#outerDoor({ kind: 'node-port', key: `${protocol} . ${nodePort}`, slotKey: `${nodePort}` });
  }

  #serviceDoor(ip: string): DoorAddress {
    const { protocol, port } = this.#rule;
    return { kind: 'service', key: `${ip} . ${protocol} . ${port}`, slotKey: `${ip} . ${port}` };
  }

  #outerDoor(door: DoorAddress): void {
    const { external, shortcut, keepsClientAddress } = this.#rule;
    if (external.kind !== 'forward') this.#refuse(door, external);
    if (keepsClientAddress) {
      if (shortcut.kind !== 'forward') return;
      const bypass = this.#doorChain(`${door.kind}-shortcut`, door, [], 'shortcut', SHORTCUT_SLOT_FIRST);
      this.#element(`${door.kind}-shortcuts`, door.key, `goto ${bypass}`);
      const before = shortcutRules(door.kind, this.#options.clusterCidr);
      this.#element(
        `${door.kind}s`,
        door.key,
        `goto ${this.#doorChain(`${door.kind}-local`, door, before, 'external', 0)}`,
      );
    } else if (external.kind === 'forward') {
      const before = ['jump mark-for-masquerade'];
      this.#element(
        `${door.kind}s`,
        door.key,
        `goto ${this.#doorChain(`${door.kind}-external`, door, before, 'external', 0)}`,
      );
    }
  }

  /** The chain a door leads to: one shared by all doors with that many endpoints, or the service's own with affinity. */
  #doorChain(
    name: string,
    door: DoorAddress,
    before: readonly string[],
    slots: keyof DoorSlots,
    first: number,
  ): string {
    const { affinitySeconds, protocol } = this.#rule;
    const endpoints = this.#slots[slots];
    if (affinitySeconds > 0) return this.#affinityChain(name, before, endpoints);
    endpoints.forEach(({ ip, port }, index) => {
      this.#element(endpointMap(door.kind, protocol), `${door.slotKey} . ${first + index}`, `${ip} . ${port}`);
    });
    const rules = [...before];
    if (endpoints.length > 0) rules.push(slotLookup(door.kind, protocol, endpoints.length, first));
    // A packet that read its verdict just before a commit and its slot just after may find the last slot gone.
    if (endpoints.length > 1) rules.push(slotLookup(door.kind, protocol, 1, first));
    const chain = `${name}-${protocol}-${endpoints.length}`;
    this.chains.set(chain, rules);
    if (endpoints.length <= KEPT_ENDPOINTS_MAX) this.keptChains.add(chain);
    return chain;
  }

  /** Affinity needs memory per endpoint, so such services have chains and sets of their own, as upstream's all have. */
  #affinityChain(door: string, before: readonly string[], endpoints: readonly Endpoint[]): string {
    const { key, affinitySeconds, protocol } = this.#rule;
    const names = endpoints.map((endpoint) => {
      const name = `affinity-${fingerprint(`${key} ${endpointKey(endpoint)} ${affinitySeconds}`)}`;
      this.sets.set(
        name,
        `{ type ipv4_addr; size ${AFFINITY_CLIENTS_MAX}; flags dynamic,timeout; timeout ${affinitySeconds}s; }`,
      );
      this.chains.set(`to-${name}`, [
        `update @${name} { ip saddr }`,
        `meta l4proto ${protocol} dnat ip to ${endpoint.ip}:${endpoint.port}`,
      ]);
      return name;
    });
    const choices = names.map((name, index) => `${index} : goto to-${name}`).join(', ');
    const chain = `affine-${fingerprint(`${key} ${door}`)}`;
    this.chains.set(chain, [
      ...before,
      ...names.map((name) => `ip saddr @${name} goto to-${name}`),
      ...(names.length === 0 ? [] : [`numgen random mod ${names.length} vmap { ${choices} }`]),
    ]);
    return chain;
  }

  #refuse(door: DoorAddress, target: Target): void {
    this.#element(`refused-${door.kind}s`, door.key, target.kind === 'drop' ? 'drop' : 'goto reject-traffic');
  }

  #element(set: string, key: string, data: string): void {
    this.elements.push({ set, key, data });
  }
}

/** FNV-1a, 64 bits, as 16 hex digits: service names are longer than nftables lets a name be. */
function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}
