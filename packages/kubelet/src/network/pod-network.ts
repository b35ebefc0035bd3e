// Addresses and wiring of this node's pods. Which address belongs to whom is read back from the sandboxes' labels.
import { readFile, writeFile } from 'node:fs/promises';
import type { Node, Pod } from '@wherry/api';
import { nextAddress, type PodRange, podRange } from '../plan/ipam.ts';
import { type HostPort, routesToNodes } from '../plan/network-rules.ts';
import type { RuntimePod, RuntimeSandbox } from '../plan/runtime-state.ts';
import type { Wiring } from './wiring.ts';

/** A pod cannot have an address now. */
export class NetworkError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NetworkError';
  }
}

export interface PodNetworkOptions {
  readonly wiring: Wiring;
  readonly nodeName: string;
  /** The cluster's pod network, if known: never masqueraded. */
  readonly clusterCidr: string | undefined;
  /** Remembers the last address given out; losing it does no harm. */
  readonly stateFile: string | undefined;
}

export class PodNetwork {
  readonly #options: PodNetworkOptions;
  #range: PodRange | undefined;
  /** Unknown at first: a kubelet that starts again must not take away routes that are in use. */
  #nodes: readonly Node[] | undefined;
  #lastGiven: string | undefined;
  readonly #addresses = new Map<string, string>();
  readonly #hostPorts = new Map<string, readonly HostPort[]>();
  /** Rule and route changes one after the other: each writes the whole state of its moment. */
  #applying: Promise<void> = Promise.resolve();

  constructor(options: PodNetworkOptions) {
    this.#options = options;
  }

  /** Why pods cannot be given addresses; part of the node's Ready condition. */
  get problem(): string | undefined {
    if (this.#range !== undefined) return undefined;
    const message = `Network plugin returns error: node "${this.#options.nodeName}" has no pod CIDR yet`;
    return `container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:${message}`;
  }

  get podCidr(): string | undefined {
    return this.#range?.cidr;
  }

  async start(): Promise<void> {
    await this.#options.wiring.prepare();
    if (this.#options.stateFile === undefined) return;
    try {
      this.#lastGiven = (await readFile(this.#options.stateFile, 'utf8')).trim();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }

  /** Takes over what runs already: nothing is rewired. */
  recover(pods: readonly RuntimePod[]): void {
    for (const pod of pods) {
      const ip = pod.sandboxes.find((sandbox) => sandbox.ready)?.ip;
      if (ip !== undefined) this.#addresses.set(pod.uid, ip);
    }
  }

  /** @throws NetworkError if the text is no IPv4 CIDR */
  async setPodCidr(cidr: string): Promise<void> {
    if (this.#range?.cidr === cidr) return;
    const range = podRange(cidr);
    if (range === undefined)
      throw new NetworkError(`Cannot use pod CIDR "${cidr}": not an IPv4 network of at most /30`);
    this.#range = range;
    await this.#apply();
  }

  setNodes(nodes: readonly Node[]): Promise<void> {
    this.#nodes = nodes;
    return this.#apply();
  }

  /** An address for the pod; the one it has, if it has one. @throws NetworkError */
  async reserve(podUid: string): Promise<string> {
    const range = this.#range;
    if (range === undefined) throw new NetworkError(this.problem ?? 'no pod CIDR');
    const own = this.#addresses.get(podUid);
    if (own !== undefined) return own;
    const ip = nextAddress(range, new Set(this.#addresses.values()), this.#lastGiven);
    if (ip === undefined) throw new NetworkError(`no addresses available in pod CIDR ${range.cidr}`);
    this.#addresses.set(podUid, ip);
    this.#lastGiven = ip;
    if (this.#options.stateFile !== undefined) await writeFile(this.#options.stateFile, `${ip}\n`);
    return ip;
  }

  /** @throws NetworkError when the kernel refuses; the sandbox is of no use then */
  async attach(pod: Pod, sandbox: { readonly id: string; readonly pid: number; readonly ip: string }): Promise<void> {
    if (this.#range === undefined) throw new NetworkError(this.problem ?? 'no pod CIDR');
    try {
      await this.#options.wiring.attach(sandbox, this.#range);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new NetworkError(`failed to set up the network of sandbox "${sandbox.id}": ${reason}`, { cause: error });
    }
    await this.publishPorts(pod, sandbox.ip);
  }

  /** Host ports of a pod that runs, also after a kubelet restart. */
  async publishPorts(pod: Pod, podIp: string): Promise<void> {
    const uid = pod.metadata?.uid ?? '';
    const ports = hostPortsOf(pod, podIp);
    if (ports.length === 0 || this.#hostPorts.has(uid)) return;
    this.#hostPorts.set(uid, ports);
    await this.#apply();
  }

  /** Gives the address back once the sandboxes' links are gone. */
  async release(podUid: string, sandboxes: readonly RuntimeSandbox[]): Promise<void> {
    const wired = sandboxes.filter(({ hostNetwork }) => !hostNetwork);
    await Promise.all(wired.map(({ id }) => this.#options.wiring.detach(id)));
    this.#addresses.delete(podUid);
    if (this.#hostPorts.delete(podUid)) await this.#apply();
  }

  #apply(): Promise<void> {
    const next = this.#applying.catch(() => undefined).then(() => this.#applyNow());
    this.#applying = next;
    return next;
  }

  async #applyNow(): Promise<void> {
    const [range, nodes] = [this.#range, this.#nodes];
    if (range === undefined || nodes === undefined) return;
    const { wiring, nodeName, clusterCidr } = this.#options;
    const routes = routesToNodes(nodes, nodeName);
    await wiring.setRoutes(routes);
    const addresses = nodes.flatMap((node) =>
      (node.status?.addresses ?? [])
        .filter(({ type, address }) => type === 'InternalIP' && !address.includes(':'))
        .map(({ address }) => address),
    );
    const cluster = [
      ...routes.map((route) => route.cidr),
      ...addresses,
      ...(clusterCidr === undefined ? [] : [clusterCidr]),
    ];
    const hostPorts = [...this.#hostPorts.values()].flat();
    await wiring.setRules({ podCidr: range.cidr, cluster, hostPorts });
  }
}

function hostPortsOf(pod: Pod, podIp: string): readonly HostPort[] {
  if (pod.spec?.hostNetwork === true) return [];
  return (pod.spec?.containers ?? []).flatMap((container) =>
    (container.ports ?? []).flatMap((port) => {
      if (port.hostPort === undefined || port.hostPort === 0) return [];
      const protocol = (port.protocol ?? 'TCP').toLowerCase();
      if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') return [];
      return [
        { protocol, hostIp: port.hostIP ?? '', hostPort: port.hostPort, podIp, containerPort: port.containerPort },
      ];
    }),
  );
}
