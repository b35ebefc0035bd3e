import type { Node } from '@wherry/api';
import ipaddr from 'ipaddr.js';

/** Prefix length of a node's IPv6 range, as upstream's default. */
const IPV6_MASK_SIZE = 64;

/** A cluster range that is cut into one range a node. */
export interface ClusterRange {
  readonly base: bigint;
  readonly bits: 32 | 128;
  readonly nodeMaskSize: number;
  /** Number of node ranges it holds. */
  readonly count: bigint;
}

/**
 * @param clusterCidr one range, or two of different families separated by a comma
 * @throws when a range cannot be read or is smaller than one node's
 */
export function parseClusterRanges(clusterCidr: string, nodeMaskSize: number): readonly ClusterRange[] {
  return clusterCidr.split(',').map((text) => {
    const [address, prefix] = ipaddr.parseCIDR(text.trim());
    const bits = address.kind() === 'ipv4' ? 32 : 128;
    const mask = bits === 32 ? nodeMaskSize : IPV6_MASK_SIZE;
    if (mask < prefix || mask > bits) {
      throw new Error(`Cannot cut cluster CIDR ${text} into node CIDRs of /${mask}`);
    }
    const size = 1n << BigInt(bits - prefix);
    const base = toNumber(address) & ~(size - 1n);
    return { base, bits, nodeMaskSize: mask, count: 1n << BigInt(mask - prefix) };
  });
}

export interface Allocation {
  readonly node: Node;
  /** undefined when no range is free. */
  readonly podCIDRs: readonly string[] | undefined;
}

/**
 * Ranges for the nodes that have none, never one that any node has.
 * @param reserved CIDRs that are no node's, such as that of Services
 */
export function planAllocations(
  nodes: readonly Node[],
  ranges: readonly ClusterRange[],
  reserved: readonly string[] = [],
): readonly Allocation[] {
  const taken = [...reserved, ...nodes.flatMap(podCidrs)];
  const used = ranges.map((range) => new Set(taken.flatMap((cidr) => indexesIn(range, cidr))));
  const needy = nodes.filter((node) => podCidrs(node).length === 0 && node.metadata?.deletionTimestamp === undefined);
  const next = ranges.map(() => 0n);
  return needy.map((node) => {
    const podCIDRs: string[] = [];
    for (const [at, range] of ranges.entries()) {
      const occupied = used[at] ?? new Set<bigint>();
      let index = next[at] ?? 0n;
      while (index < range.count && occupied.has(index)) index++;
      if (index >= range.count) return { node, podCIDRs: undefined };
      next[at] = index + 1n;
      podCIDRs.push(formatRange(range, index));
    }
    return { node, podCIDRs };
  });
}

function podCidrs(node: Node): readonly string[] {
  const { podCIDRs, podCIDR } = node.spec ?? {};
  if (podCIDRs !== undefined && podCIDRs.length > 0) return podCIDRs;
  return podCIDR === undefined || podCIDR === '' ? [] : [podCIDR];
}

/** What a CIDR covers of a range, by index; it may be larger or smaller than a node's. */
function indexesIn(range: ClusterRange, text: string): bigint[] {
  if (!ipaddr.isValidCIDR(text)) return [];
  const [address, prefix] = ipaddr.parseCIDR(text);
  if ((address.kind() === 'ipv4' ? 32 : 128) !== range.bits) return [];
  const step = BigInt(range.bits - range.nodeMaskSize);
  const first = (toNumber(address) - range.base) >> step;
  const last = (toNumber(address) + (1n << BigInt(range.bits - prefix)) - 1n - range.base) >> step;
  const indexes: bigint[] = [];
  for (let index = first < 0n ? 0n : first; index <= last && index < range.count; index++) indexes.push(index);
  return indexes;
}

function formatRange(range: ClusterRange, index: bigint): string {
  const value = range.base + (index << BigInt(range.bits - range.nodeMaskSize));
  const bytes = Array.from({ length: range.bits / 8 }, (_, at) =>
    Number((value >> BigInt(range.bits - 8 * (at + 1))) & 255n),
  );
  return `${ipaddr.fromByteArray(bytes).toString()}/${range.nodeMaskSize}`;
}

function toNumber(address: ipaddr.IPv4 | ipaddr.IPv6): bigint {
  return address.toByteArray().reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
