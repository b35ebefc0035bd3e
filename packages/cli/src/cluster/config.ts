import { Failure } from '../failure.ts';
import type { Subnet } from './subnet.ts';

export type Runtime = 'docker' | 'hollow';
export type Profile = 'upstream' | 'fast';

/** What a cluster consists of. Decided by the first `up`, kept in cluster.json, changed only by flags given later. */
export interface ClusterConfig {
  readonly name: string;
  readonly nodes: number;
  readonly runtime: Runtime;
  /** Why nodes are hollow although nobody asked for it. */
  readonly hollowReason?: string;
  /** How fast failures are noticed; see `timings`. */
  readonly profile: Profile;
  readonly ports: Ports;
  /** The cluster's own Docker network; absent without virtual nodes. */
  readonly subnet?: Subnet;
}

/** Ports of the daemons on this host; virtual nodes have addresses and so all ports of their own. */
export interface Ports {
  readonly apiserver: number;
  readonly storeClient: number;
  readonly storePeer: number;
  readonly storeMetrics: number;
  readonly scheduler: number;
  readonly controllerManager: number;
  readonly dns: number;
  readonly dnsHealth: number;
  /** First of two ports for each hollow node, which all share this host's address. */
  readonly hollowNodes: number;
}

/** Upstream's ports, taken when they are free. */
export const usualPorts: Ports = {
  apiserver: 6443,
  storeClient: 2379,
  storePeer: 2380,
  storeMetrics: 2381,
  scheduler: 10259,
  controllerManager: 10257,
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
  readonly runtime?: Runtime;
  readonly profile?: Profile;
  readonly port?: number;
}

export const NODES_DEFAULT = 3;
/** More would not fit the addresses that a cluster's network has below the API server's and above the anchors'. */
export const NODES_MAX = 100;

/** @throws Failure for what this version cannot do */
export function checkFlags(flags: UpFlags, recorded: ClusterConfig | undefined): void {
  const several = [
    ['store', 'stores', flags.stores],
    ['API server', 'apiservers', flags.apiservers],
    ['scheduler', 'schedulers', flags.schedulers],
    ['controller-manager', 'controller-managers', flags.controllerManagers],
  ] as const;
  for (const [what, flag, count] of several) {
    if (count === undefined || count === 1) continue;
    if (count < 1) throw new Failure(`Cannot start ${count} ${what}s: a cluster needs one (--${flag} 1)`);
    throw new Failure(
      `Cannot start ${count} ${what}s: this version runs one of each (--${flag} 1). Several of everything, with a balancer in front, is the next step`,
    );
  }
  const { nodes } = flags;
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

export const nodeNames = (config: Pick<ClusterConfig, 'nodes'>): readonly string[] =>
  Array.from({ length: config.nodes }, (_, index) => `node-${index + 1}`);

export const serviceCidr = '10.96.0.0/12';
export const serviceIp = '10.96.0.1';
export const dnsIp = '10.96.0.10';
export const clusterCidr = '10.244.0.0/16';
export const clusterDomain = 'cluster.local';
