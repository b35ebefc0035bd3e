export const daemonKinds = [
  'store',
  'apiserver',
  'scheduler',
  'controller-manager',
  'dns',
  'kubelet',
  'hollow-nodes',
  'proxy',
  'balancer',
] as const;

/** As `wherry status -o json` names them. */
export type DaemonKind = (typeof daemonKinds)[number];

/** One process of a cluster: everything needed to start it, and to ask how it is. */
export interface DaemonSpec {
  /** Unique in the cluster, for example `kubelet-node-2`. */
  readonly name: string;
  readonly kind: DaemonKind;
  /** Position in listings and at start. */
  readonly order: number;
  /** Flags for its `main.ts`. */
  readonly flags: readonly string[];
  /** Files named in `flags` whose contents it reads once, at start. */
  readonly files: readonly string[];
  /** The node that it serves. */
  readonly node?: string;
  /** The virtual node whose network namespace it runs in; this host's without. */
  readonly namespace?: string;
  /** `host:port` of each door it opens. */
  readonly addresses: readonly string[];
  readonly probe: Probe;
}

/** How to ask a daemon for its health and metrics. */
export interface Probe {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** A metric that is 1 on the leader; absent for kinds that have none. */
  readonly leaderMetric?: string;
}
