import type { Clock, Logger, Random, Scope } from '@wherry/daemon';
import ipaddr from 'ipaddr.js';
import type { RuleChange } from '../../plan/difference.ts';
import type { ServiceRule } from '../../plan/service-rules.ts';
import type { Dataplane, Unserved } from '../dataplane.ts';
import type { RunCommand } from '../run-command.ts';
import { type Door, Load } from './door.ts';
import { EndpointChooser } from './endpoint-chooser.ts';
import { LoopbackAddresses } from './loopback-addresses.ts';
import { TcpDoor } from './tcp-door.ts';
import { UdpDoor } from './udp-door.ts';

/** TCP connections and UDP clients served at once; more are reset or ignored. */
const CLIENTS_MAX = 10_000;

export interface UserspaceDataplaneOptions {
  readonly run: RunCommand;
  readonly localAddresses: () => ReadonlySet<string>;
  readonly clusterCidr: string | undefined;
  readonly nodePortCidrs: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly scope: Scope;
}

interface Served {
  readonly chooser: EndpointChooser;
  readonly doors: ReadonlyMap<string, Door>;
}

/**
 * Services as listening sockets of this process. It must be able to give the node the services' addresses; what it
 * cannot listen on it names in `unserved`. Endpoints see the node's address, and a service without endpoints
 * refuses connections, also where the kernel's rules would drop them.
 */
export class UserspaceDataplane implements Dataplane {
  readonly mode = 'userspace';
  readonly #options: UserspaceDataplaneOptions;
  readonly #addresses: LoopbackAddresses;
  readonly #load = new Load(CLIENTS_MAX);
  readonly #rules = new Map<string, ServiceRule>();
  readonly #served = new Map<string, Served>();
  readonly #unserved = new Map<string, string>();

  constructor(options: UserspaceDataplaneOptions) {
    this.#options = options;
    this.#addresses = new LoopbackAddresses(options.run);
  }

  async resync(rules: readonly ServiceRule[]): Promise<void> {
    await this.#addresses.discover();
    const gone = new Set(this.#rules.keys());
    this.#rules.clear();
    for (const rule of rules) {
      this.#rules.set(rule.key, rule);
      gone.delete(rule.key);
    }
    await this.#serve(gone, rules);
  }

  async apply(changes: readonly RuleChange[]): Promise<void> {
    const gone = new Set<string>();
    const changed: ServiceRule[] = [];
    for (const change of changes) {
      if (change.kind === 'remove') {
        this.#rules.delete(change.previous.key);
        gone.add(change.previous.key);
      } else {
        this.#rules.set(change.rule.key, change.rule);
        changed.push(change.rule);
      }
    }
    await this.#serve(gone, changed);
  }

  /** Sockets cannot be taken away from outside; addresses can. */
  async isIntact(): Promise<boolean> {
    await this.#addresses.discover();
    return [...this.#wantedAddresses()].every((ip) => this.#addresses.has(ip));
  }

  unserved(): readonly Unserved[] {
    return [...this.#unserved].map(([key, why]) => ({ key, why }));
  }

  async close(): Promise<void> {
    for (const { doors } of this.#served.values()) for (const door of doors.values()) door.close();
    this.#served.clear();
    this.#load.endAll();
  }

  async cleanUp(): Promise<void> {
    await this.#addresses.discover();
    await this.#addresses.hold(new Set());
  }

  async #serve(gone: ReadonlySet<string>, changed: readonly ServiceRule[]): Promise<void> {
    for (const key of gone) {
      for (const door of this.#served.get(key)?.doors.values() ?? []) door.close();
      this.#served.delete(key);
      this.#unserved.delete(key);
    }
    const problem = await this.#addresses.hold(this.#wantedAddresses());
    if (problem !== undefined) this.#options.logger.warn({ problem }, 'cannot give the node all service addresses');
    for (const rule of changed) await this.#serveRule(rule);
  }

  async #serveRule(rule: ServiceRule): Promise<void> {
    const { clock, random } = this.#options;
    const before = this.#served.get(rule.key);
    const chooser = before?.chooser ?? new EndpointChooser(rule, clock, random, (ip) => this.#isInside(ip));
    chooser.rule = rule;
    const wanted = this.#doorsOf(rule);
    const doors = new Map<string, Door>();
    for (const [id, door] of before?.doors ?? []) {
      if (!wanted.has(id)) door.close();
      else {
        door.refresh();
        doors.set(id, door);
      }
    }
    const problems: string[] = rule.protocol === 'sctp' ? ['SCTP needs the kernel'] : [];
    for (const [id, { address, port, kind }] of wanted) {
      if (doors.has(id) || rule.protocol === 'sctp') continue;
      const options = { address, port, kind, chooser, clock, load: this.#load };
      const door = rule.protocol === 'udp' ? new UdpDoor(options) : new TcpDoor(options);
      try {
        await door.open();
        doors.set(id, door);
      } catch (error) {
        door.close();
        problems.push(error instanceof Error ? error.message : String(error));
      }
    }
    this.#served.set(rule.key, { chooser, doors });
    if (problems.length === 0) this.#unserved.delete(rule.key);
    else this.#unserved.set(rule.key, problems.join('; '));
  }

  /** Where the rule is to listen: nowhere when nobody may come in, so that the kernel refuses for us. */
  #doorsOf(rule: ServiceRule): ReadonlyMap<string, { address: string; port: number; kind: 'internal' | 'external' }> {
    const doors = new Map<string, { address: string; port: number; kind: 'internal' | 'external' }>();
    const add = (address: string, port: number, kind: 'internal' | 'external') =>
      doors.set(`${kind} ${address}:${port}`, { address, port, kind });
    if (rule.internal.kind === 'forward') add(rule.clusterIp, rule.port, 'internal');
    const outside = rule.keepsClientAddress ? [rule.external, rule.shortcut] : [rule.external];
    if (!outside.some((target) => target.kind === 'forward')) return doors;
    for (const ip of rule.externalIps) add(ip, rule.port, 'external');
    if (rule.nodePort === 0) return doors;
    for (const address of this.#nodePortAddresses(rule)) add(address, rule.nodePort, 'external');
    return doors;
  }

  #nodePortAddresses(rule: ServiceRule): readonly string[] {
    const { nodePortCidrs, localAddresses } = this.#options;
    // An answer by UDP must come from the address that was asked, so each has a socket of its own.
    if (nodePortCidrs.length === 0 && rule.protocol === 'tcp') return ['0.0.0.0'];
    const ranges = nodePortCidrs.map((cidr) => ipaddr.IPv4.parseCIDR(cidr));
    return [...localAddresses()].filter((text) => {
      if (!ipaddr.IPv4.isValid(text) || this.#addresses.has(text)) return false;
      const address = ipaddr.IPv4.parse(text);
      if (address.range() === 'loopback') return false;
      return ranges.length === 0 || ranges.some((range) => address.match(range));
    });
  }

  #wantedAddresses(): ReadonlySet<string> {
    return new Set([...this.#rules.values()].flatMap((rule) => [rule.clusterIp, ...rule.externalIps]));
  }

  #isInside(clientIp: string): boolean {
    const { localAddresses, clusterCidr } = this.#options;
    if (localAddresses().has(clientIp)) return true;
    return clusterCidr !== undefined && ipaddr.IPv4.parse(clientIp).match(ipaddr.IPv4.parseCIDR(clusterCidr));
  }
}
