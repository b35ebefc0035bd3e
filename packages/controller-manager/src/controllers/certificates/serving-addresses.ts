import type { ConfigMap, EndpointSlice, Node } from '@wherry/api';
import ipaddr from 'ipaddr.js';
import type { KnownAddresses } from './plan.ts';

export interface AddressFacts {
  readonly nodes: readonly Node[];
  /** Of the Service default/kubernetes. */
  readonly serverSlices: readonly EndpointSlice[];
  /** kube-public/cluster-info, which names the server that hosts join at. */
  readonly clusterInfo: ConfigMap | undefined;
  /** CIDRs of Services and pods: never a node's. */
  readonly ranges: readonly string[];
}

const hostTypes: readonly string[] = ['InternalIP', 'ExternalIP'];

/** Which addresses a node's serving certificate may name, and which belong to somebody else. */
export function knownAddresses(nodeName: string, facts: AddressFacts): KnownAddresses {
  const addressesOf = (node: Node): readonly string[] =>
    (node.status?.addresses ?? []).filter(({ type }) => hostTypes.includes(type)).map(({ address }) => address);
  const own = facts.nodes.filter(({ metadata }) => metadata?.name === nodeName).flatMap(addressesOf);
  const others = new Set([
    ...facts.nodes.filter(({ metadata }) => metadata?.name !== nodeName).flatMap(addressesOf),
    ...facts.serverSlices.flatMap(({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses)),
    ...serversOf(facts.clusterInfo),
  ]);
  return { own: own.filter((address) => isHostAddress(address, facts.ranges)), others };
}

function isHostAddress(address: string, ranges: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (['loopback', 'unspecified', 'multicast', 'broadcast'].includes(parsed.range())) return false;
  return !ranges.some((text) => {
    const range = ipaddr.parseCIDR(text.trim());
    return range[0].kind() === parsed.kind() && parsed.match(range);
  });
}

function serversOf(clusterInfo: ConfigMap | undefined): readonly string[] {
  const text = clusterInfo?.data?.['kubeconfig'] ?? '';
  return [...text.matchAll(/^\s*server:\s*["']?https:\/\/\[?([^\s"'\]/]+?)\]?(?::\d+)?["']?\s*$/gm)].map(
    ([, host = '']) => host,
  );
}
