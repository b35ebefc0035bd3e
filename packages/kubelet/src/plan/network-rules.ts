// The node's share of the pod network, as text for `ip -batch` and `nft -f`: point-to-point veths as CNI's ptp plugin
// makes them. Every packet passes the node's IP layer, so no bridge, no br_netfilter and no hairpin mode is needed.
import type { Node } from '@wherry/api';
import type { PodRange } from './ipam.ts';

/** Ethernet's usual size, where the node's own link does not say otherwise; the veth adds no encapsulation. */
export const usualMtu = 1500;

/** Name of the node's end of a pod's veth: at most 15 characters, found again from the sandbox's id. */
export function vethName(sandboxId: string): string {
  return `wh${sandboxId.slice(0, 11)}`;
}

/** Commands in the node's namespace; the peer is born inside the sandbox's namespace. */
export function attachOnNode(veth: string, sandboxPid: number, podIp: string, range: PodRange, mtu: number): string {
  return [
    `link add name ${veth} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${sandboxPid}`,
    `addr add ${range.gateway}/32 dev ${veth}`,
    `link set ${veth} up`,
    `route replace ${podIp}/32 dev ${veth} src ${range.gateway}`,
  ].join('\n');
}

/** Commands in the sandbox's namespace. */
export function attachInPod(podIp: string, range: PodRange): string {
  return [
    'link set lo up',
    `addr add ${podIp}/32 dev eth0`,
    'link set eth0 up',
    `route add ${range.gateway} dev eth0 scope link src ${podIp}`,
    `route add default via ${range.gateway} dev eth0 src ${podIp}`,
  ].join('\n');
}

export interface NodeRoute {
  readonly cidr: string;
  readonly via: string;
}

/** Hollow nodes have loopback addresses: nothing leads there from elsewhere, and no pod of theirs would answer. */
const loopback = '127.';

function internalIp(node: Node): string | undefined {
  return node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
}

/** Whether a node is no place on the network. */
export function isNowhere(node: Node): boolean {
  return internalIp(node)?.startsWith(loopback) === true;
}

/** Routes to the pods of all other nodes. A node without CIDR or address has no pods to reach. */
export function routesToNodes(nodes: readonly Node[], ownName: string): readonly NodeRoute[] {
  const routes: NodeRoute[] = [];
  for (const node of nodes) {
    const cidr = node.spec?.podCIDR;
    const via = internalIp(node);
    if (node.metadata?.name === ownName || isNowhere(node) || !cidr || via === undefined) continue;
    routes.push({ cidr, via });
  }
  return routes.sort((left, right) => (left.cidr < right.cidr ? -1 : 1));
}

/** Kernel route protocol number that marks our routes: only those are ever removed. */
export const routeProtocol = 87;

/** What turns the routes the kernel has into those that are wanted; empty when nothing is to be done. */
export function routeChanges(present: readonly NodeRoute[], wanted: readonly NodeRoute[]): string {
  const has = (list: readonly NodeRoute[], route: NodeRoute) =>
    list.some((one) => one.cidr === route.cidr && one.via === route.via);
  const gone = present.filter((route) => !wanted.some((one) => one.cidr === route.cidr));
  const added = wanted.filter((route) => !has(present, route));
  return [
    ...gone.map((route) => `route del ${route.cidr} proto ${routeProtocol}`),
    ...added.map((route) => `route replace ${route.cidr} via ${route.via} proto ${routeProtocol}`),
  ].join('\n');
}

function firstField(json: string, field: string): unknown {
  const parsed: unknown = json.trim() === '' ? [] : JSON.parse(json);
  const [first]: readonly unknown[] = Array.isArray(parsed) ? parsed : [];
  return typeof first === 'object' && first !== null
    ? new Map<string, unknown>(Object.entries(first)).get(field)
    : undefined;
}

/** The link of the default route, from `ip -json route show default`; undefined if there is none. */
export function defaultLink(json: string): string | undefined {
  const device = firstField(json, 'dev');
  return typeof device === 'string' ? device : undefined;
}

/** The size of a link's packets, from `ip -json link show dev NAME`. */
export function linkMtu(json: string): number {
  const mtu = firstField(json, 'mtu');
  return typeof mtu === 'number' ? mtu : usualMtu;
}

/** Routes of ours from the JSON of `ip -json route show proto 87`. */
export function parseRoutes(json: string): readonly NodeRoute[] {
  const parsed: unknown = json.trim() === '' ? [] : JSON.parse(json);
  if (!Array.isArray(parsed)) return [];
  return parsed.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || !('dst' in entry) || !('gateway' in entry)) return [];
    return [{ cidr: String(entry.dst), via: String(entry.gateway) }];
  });
}

export interface HostPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostIp: string;
  readonly hostPort: number;
  readonly podIp: string;
  readonly containerPort: number;
}

export const nodeTable = 'wherry-node';

export interface NodeRules {
  readonly podCidr: string;
  /** Networks in which pods keep their own source address: the cluster's pods and nodes. */
  readonly cluster: readonly string[];
  readonly hostPorts: readonly HostPort[];
}

function hostPortRule(port: HostPort): string {
  const anyAddress = port.hostIp === '' || port.hostIp === '0.0.0.0';
  const address = anyAddress ? 'fib daddr type local' : `ip daddr ${port.hostIp}`;
  return `    ${address} ${port.protocol} dport ${port.hostPort} dnat to ${port.podIp}:${port.containerPort}`;
}

/**
 * The whole table in one transaction. Pods are masqueraded only towards the outside. A host port reached from the
 * node itself or from the pod behind it needs its answer to come back through the node.
 */
export function nodeRuleset(rules: NodeRules): string {
  const cluster = [...new Set([rules.podCidr, ...rules.cluster])].sort();
  const ports = [...rules.hostPorts]
    .sort((left, right) => left.hostPort - right.hostPort || (left.protocol < right.protocol ? -1 : 1))
    .map(hostPortRule);
  const loop = rules.hostPorts.map(
    (port) => `    ip saddr { 127.0.0.0/8, ${port.podIp} } ip daddr ${port.podIp} ct status dnat masquerade`,
  );
  return [
    `table ip ${nodeTable}`,
    `delete table ip ${nodeTable}`,
    `table ip ${nodeTable} {`,
    '  set cluster {',
    '    type ipv4_addr; flags interval; auto-merge',
    `    elements = { ${cluster.join(', ')} }`,
    '  }',
    '  chain hostports {',
    ...ports,
    '  }',
    '  chain prerouting {',
    '    type nat hook prerouting priority dstnat; policy accept;',
    '    jump hostports',
    '  }',
    '  chain output {',
    '    type nat hook output priority -100; policy accept;',
    '    jump hostports',
    '  }',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    ...loop,
    `    ip saddr ${rules.podCidr} ip daddr != @cluster masquerade`,
    '  }',
    '}',
    '',
  ].join('\n');
}
