import { Failure } from '../failure.ts';
import type { Subnet } from './subnet.ts';

export type Runtime = 'docker' | 'hollow';
export type Profile = 'upstream' | 'fast';

/** What a cluster consists of. Decided by the first `up`, kept in cluster.json, changed only by flags given later. */
export interface ClusterConfig {
  readonly name: string;
  /** Members of the store; decided for good by the first `up`. */
  readonly stores: number;
  /** With more than one, each has an address of its own and a balancer stands in front. */
  readonly apiservers: number;
  readonly schedulers: number;
  readonly controllerManagers: number;
  readonly nodes: number;
  readonly runtime: Runtime;
  /** Simulated nodes beside the others, all in one process; none when absent. */
  readonly hollowNodes?: number;
  /** Network of all pods, where it is not the usual one; once wider, it stays so. */
  readonly clusterCidr?: string;
  /** Why nodes are hollow although nobody asked for it. */
  readonly hollowReason?: string;
  /** How fast failures are noticed; see `timings`. */
  readonly profile: Profile;
  readonly ports: Ports;
  /** Addresses of the cluster's own, for its virtual nodes and several API servers; absent without either. */
  readonly subnet?: Subnet;
}

/** Ports of the daemons on this host; virtual nodes have addresses and so all ports of their own. */
export interface Ports {
  /** Where everybody reaches the API: the API server, or the balancer in front of several. */
  readonly apiserver: number;
  /** Of each API server behind a balancer, at its own address: endpoints of one Service share one port. */
  readonly balanced: number;
  readonly balancerHealth: number;
  readonly stores: readonly StorePorts[];
  readonly schedulers: readonly number[];
  readonly controllerManagers: readonly number[];
  readonly dns: number;
  readonly dnsHealth: number;
  /** First of two ports for each hollow node, which all share this host's address. */
  readonly hollowNodes: number;
  /** First of two ports of the process that holds many hollow nodes; absent as long as there was none. */
  readonly hollowProcess?: number;
}

export interface StorePorts {
  readonly client: number;
  readonly peer: number;
  readonly metrics: number;
}

/** Upstream's ports, taken when they are free. */
export const usualPorts: Ports = {
  apiserver: 6443,
  balanced: 6444,
  balancerHealth: 10261,
  stores: [{ client: 2379, peer: 2380, metrics: 2381 }],
  schedulers: [10259],
  controllerManagers: [10257],
  dns: 10053,
  dnsHealth: 10054,
  hollowNodes: 11250,
};

/** `up`'s flags; what is not given stays as it was, or takes its default on the first `up`. */
export interface UpFlags {
  readonly stores?: number;
  readonly apiservers?: number;
  readonly schedulers?: number;
  readonly controllerManagers?: number;
  readonly nodes?: number;
  readonly hollowNodes?: number;
  readonly runtime?: Runtime;
  readonly profile?: Profile;
  readonly port?: number;
}

export const NODES_DEFAULT = 3;
/** More would not fit the addresses that a cluster's network has below the API server's and above the anchors'. */
export const NODES_MAX = 100;
/** What the wide cluster network has room for, with some to spare. */
export const HOLLOW_NODES_MAX = 10_000;

/** Of API servers, schedulers and controller-managers each; more would only wait. */
export const SEVERAL_MAX = 9;
const storeCounts: readonly number[] = [1, 3, 5];

/** @throws Failure for what cannot be */
export function checkFlags(flags: UpFlags, recorded: ClusterConfig | undefined): void {
  const several = [
    ['API server', 'apiservers', flags.apiservers],
    ['scheduler', 'schedulers', flags.schedulers],
    ['controller-manager', 'controller-managers', flags.controllerManagers],
  ] as const;
  for (const [what, flag, count] of several) {
    if (count === undefined) continue;
    if (count < 1) throw new Failure(`Cannot start ${count} ${what}s: a cluster needs one (--${flag} 1)`);
    if (count > SEVERAL_MAX)
      throw new Failure(`Cannot start ${count} ${what}s: at most ${SEVERAL_MAX} (--${flag} ${SEVERAL_MAX})`);
  }
  checkStores(flags.stores, recorded);
  const { nodes, hollowNodes } = flags;
  if (hollowNodes !== undefined && hollowNodes > HOLLOW_NODES_MAX)
    throw new Failure(`Cannot start ${hollowNodes} hollow nodes: at most ${HOLLOW_NODES_MAX}`);
  if (nodes !== undefined && nodes > NODES_MAX)
    throw new Failure(`Cannot start ${nodes} nodes: at most ${NODES_MAX} on one machine`);
  if (recorded === undefined) return;
  if (nodes !== undefined && nodes < recorded.nodes) {
    throw new Failure(
      `Cannot shrink cluster "${recorded.name}" from ${recorded.nodes} nodes to ${nodes}: stop one with "wherry node kill", or start over with "wherry down --delete"`,
    );
  }
  if (flags.runtime !== undefined && flags.runtime !== recorded.runtime && recorded.nodes > 0) {
    throw new Failure(
      `Cannot change the runtime of cluster "${recorded.name}" from ${recorded.runtime} to ${flags.runtime}: take it down with "wherry down --delete" first, or use another --name`,
    );
  }
}

/** An even number of members bears no more losses than the odd one below it; more than five only make writes slower. */
function checkStores(stores: number | undefined, recorded: ClusterConfig | undefined): void {
  if (stores === undefined) return;
  if (!storeCounts.includes(stores))
    throw new Failure(
      `Cannot start ${stores} store${stores === 1 ? '' : 's'}: a store has 1, 3 or 5 members (--stores 3)`,
    );
  if (recorded === undefined || stores === recorded.stores) return;
  throw new Failure(
    `Cannot change the store of cluster "${recorded.name}" from ${recorded.stores} to ${stores} members: its members are fixed when it is made. Use another --name, or start over with "wherry down --delete"`,
  );
}

/** The Docker network in which the nodes live; undefined when they do not live in one. */
export function nodeNetwork({ nodes, runtime, subnet }: ClusterConfig): Subnet | undefined {
  return nodes > 0 && runtime === 'docker' ? subnet : undefined;
}

export const nodeNames = (config: Pick<ClusterConfig, 'nodes'>): readonly string[] =>
  Array.from({ length: config.nodes }, (_, index) => `node-${index + 1}`);

export const serviceCidr = '10.96.0.0/12';
export const serviceIp = '10.96.0.1';
export const dnsIp = '10.96.0.10';
/** Room for 256 nodes. */
export const clusterCidr = '10.244.0.0/16';
/** Room for 16,384, the usual network included. */
export const wideClusterCidr = '10.192.0.0/10';

export const clusterCidrOf = (config: Pick<ClusterConfig, 'clusterCidr'>): string => config.clusterCidr ?? clusterCidr;
export const clusterDomain = 'cluster.local';
