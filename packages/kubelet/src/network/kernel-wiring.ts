// Wires pods with iproute2 and nftables in the network namespace this process runs in, which is the node's. Starting
// a program from Node costs more than what it does here, so a pod costs one shell for both namespaces.
import { writeFile } from 'node:fs/promises';
import type { RunCommand } from '../host/commands.ts';
import type { PodRange } from '../plan/ipam.ts';
import {
  attachInPod,
  attachOnNode,
  defaultLink,
  linkMtu,
  type NodeRoute,
  type NodeRules,
  nodeRuleset,
  parseRoutes,
  routeChanges,
  routeProtocol,
  usualMtu,
  vethName,
} from '../plan/network-rules.ts';
import type { Wiring } from './wiring.ts';

/** `$1` node's batch, `$2` pod's batch, `$3` pid in the pod's namespace. */
const attachScript = 'printf %s "$1" | ip -batch - && printf %s "$2" | nsenter --net=/proc/"$3"/ns/net ip -batch -';

/** `$1` the link. It may have gone with its namespace, before or meanwhile. */
const detachScript = 'ip link del "$1" 2>/dev/null || ! ip link show "$1" >/dev/null 2>&1';

export class KernelWiring implements Wiring {
  readonly #run: RunCommand;
  #rules = '';
  #mtu = usualMtu;

  constructor(run: RunCommand) {
    this.#run = run;
  }

  async prepare(): Promise<void> {
    await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
    const link = defaultLink(await this.#run('ip', ['-json', '-4', 'route', 'show', 'default']));
    if (link !== undefined) this.#mtu = linkMtu(await this.#run('ip', ['-json', 'link', 'show', 'dev', link]));
  }

  async attach(
    sandbox: { readonly id: string; readonly pid: number; readonly ip: string },
    range: PodRange,
  ): Promise<void> {
    const onNode = attachOnNode(vethName(sandbox.id), sandbox.pid, sandbox.ip, range, this.#mtu);
    const inPod = attachInPod(sandbox.ip, range);
    await this.#run('sh', ['-c', attachScript, 'attach', onNode, inPod, String(sandbox.pid)]);
  }

  async detach(sandboxId: string): Promise<void> {
    await this.#run('sh', ['-c', detachScript, 'detach', vethName(sandboxId)]);
  }

  async setRoutes(routes: readonly NodeRoute[]): Promise<void> {
    const shown = await this.#run('ip', ['-json', '-4', 'route', 'show', 'proto', String(routeProtocol)]);
    const changes = routeChanges(parseRoutes(shown), routes);
    // One route that cannot be set (its node's link is down) must not keep out the others.
    if (changes !== '') await this.#run('ip', ['-force', '-batch', '-'], { stdin: `${changes}\n` });
  }

  async setRules(rules: NodeRules): Promise<void> {
    const text = nodeRuleset(rules);
    if (text === this.#rules) return;
    await this.#run('nft', ['-f', '-'], { stdin: text });
    this.#rules = text;
  }
}
