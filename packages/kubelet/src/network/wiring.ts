// The port to the kernel's side of the pod network. Real: veths, routes and nftables. Hollow: nothing to wire.
import type { PodRange } from '../plan/ipam.ts';
import type { NodeRoute, NodeRules } from '../plan/network-rules.ts';

export interface Wiring {
  /** What a node needs before its first pod. */
  prepare(): Promise<void>;
  attach(sandbox: { readonly id: string; readonly pid: number; readonly ip: string }, range: PodRange): Promise<void>;
  /** Takes the sandbox's link away at once; the kernel itself does it some time after the namespace has gone. */
  detach(sandboxId: string): Promise<void>;
  /** Makes the routes to other nodes equal to these. */
  setRoutes(routes: readonly NodeRoute[]): Promise<void>;
  setRules(rules: NodeRules): Promise<void>;
}
