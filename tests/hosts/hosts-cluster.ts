import { cpSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { eventually } from '../harness/eventually.ts';
import { KubectlUser } from '../harness/kubectl-user.ts';
import { repository } from '../harness/repository.ts';
import { type Finished, succeed } from '../harness/run.ts';
import { type DaemonKind, Host } from './host.ts';
import { buildLan, places } from './lan.ts';
import { cutPower, removeEverything } from './leftovers.ts';

/** Everything lies below it; the name is fixed, so that a killed run's remains are found. */
const folder = join(tmpdir(), 'wherry-hosts');

const everywhere: readonly DaemonKind[] = ['store', 'kubelet', 'proxy'];
const controlPlane: readonly DaemonKind[] = ['apiserver', 'scheduler', 'controller-manager', 'dns'];

/** As `wherry up --profile fast` has them: a silent node is NotReady after 4 s, and its pods move 2 s later. */
const fast: Partial<Record<DaemonKind, readonly string[]>> = {
  apiserver: ['--default-not-ready-toleration-seconds=2', '--default-unreachable-toleration-seconds=2'],
  // Certificates that nodes ask for begin five minutes before they are made and are renewed after 70 to 90 % of their
  // life: these, 4 s to 91 s after they were made.
  'controller-manager': [
    '--node-monitor-period=500ms',
    '--node-monitor-grace-period=4s',
    '--cluster-signing-duration=135s',
  ],
  // The three hosts are one machine.
  kubelet: ['--node-status-update-frequency=1s', '--node-lease-duration-seconds=4', '--capacity-divisor=3'],
};

interface StoreStatus {
  readonly members: readonly {
    readonly member: string;
    readonly leader: boolean;
    readonly revision: number;
    readonly error?: string;
  }[];
}

/**
 * The cluster of docs/three-hosts.md: three stores and nodes, and the rest of the control plane on the first host. The
 * last host joins by token; the others are given certificates.
 */
export class HostsCluster extends KubectlUser {
  override readonly home = folder;
  readonly hosts: readonly Host[] = [];

  override get kubeconfig(): string {
    return join(this.first.etc, 'kubeconfig');
  }

  get first(): Host {
    return this.host(0);
  }

  host(index: number): Host {
    const host = this.hosts[index];
    if (host === undefined) throw new Error(`There is no host ${index}`);
    return host;
  }

  async build(): Promise<void> {
    // Brings what the machine lacks (Docker, control groups); its engine is not used.
    await this.#wherry(['engine', 'start']);
    await removeEverything(folder);
    mkdirSync(folder, { recursive: true });
    await buildLan();
    (this.hosts as Host[]).push(...places.map((place) => new Host(place, folder)));
    await this.#makeCredentials();
    for (const host of this.hosts) {
      await host.install(this.#daemonsOf(host), places);
      await host.startEngine();
      await host.makeSamples();
    }
  }

  /** Daemon by daemon, as a person would. */
  async start(): Promise<void> {
    for (const host of this.hosts) await host.start('store');
    for (const host of this.hosts) await host.listens(2379);
    await this.first.start('apiserver', fast.apiserver);
    await this.first.listens(6443);
    await eventually('the API server is ready', () => this.kubectlOk(['get', '--raw', '/readyz']));
    await this.wherry(['addons', 'apply']);
    for (const daemon of controlPlane.slice(1)) await this.first.start(daemon, fast[daemon]);
    for (const host of this.hosts) if (host !== this.joining) await this.startNode(host);
    await this.join(this.joining);
  }

  /** The host that is given nothing but a token. */
  get joining(): Host {
    return this.host(places.length - 1);
  }

  #daemonsOf(host: Host): readonly DaemonKind[] {
    if (host === this.joining) return ['store'];
    return host === this.first ? [...everywhere, ...controlPlane] : everywhere;
  }

  /** What a person types on the first host, and then on the other. */
  async join(host: Host): Promise<void> {
    const command = await this.wherry(['token', 'create', '--print-join-command']);
    const { code, stderr } = await this.tryToJoin(host, host.place.name, joinArguments(command));
    if (code !== 0) throw new Error(`${host.place.name} did not join: ${stderr}`);
  }

  /** `wherry join` on a host, with these arguments behind it. */
  tryToJoin(host: Host, node: string, args: readonly string[]): Promise<Finished> {
    const flags = (fast.kubelet ?? []).flatMap((flag) => ['--kubelet-arg', flag.replace(/^--/, '')]);
    return host.wherry(['join', ...args, '--node-name', node, ...flags]);
  }

  /** `wherry` as the cluster's administrator. */
  wherry(args: readonly string[]): Promise<string> {
    return this.#wherry([...args, '--kubeconfig', this.kubeconfig]);
  }

  /** `wherry store …` against all members, as an operator on the first host. */
  store(args: readonly string[]): Promise<string> {
    const pki = (file: string) => join(this.first.etc, 'pki/etcd', file);
    const endpoints = this.hosts.map(({ place }) => `https://${place.address}:2379`).join(',');
    const connection = ['--endpoints', endpoints, '--cacert', pki('ca.crt')];
    const identity = ['--cert', pki('healthcheck-client.crt'), '--key', pki('healthcheck-client.key')];
    return this.#wherry(['store', ...args, ...connection, ...identity]);
  }

  async storeStatus(): Promise<StoreStatus> {
    return JSON.parse(await this.store(['status', '-o', 'json'])) as StoreStatus;
  }

  async startNode(host: Host): Promise<void> {
    for (const daemon of ['kubelet', 'proxy'] as const) await host.start(daemon, fast[daemon]);
  }

  async cutPower(host: Host): Promise<void> {
    await cutPower(host.place);
  }

  lastWords(lines = 5): string {
    return this.hosts.map((host) => host.lastWords(lines)).join('\n');
  }

  async remove(): Promise<void> {
    await removeEverything(folder);
    await this.#wherry(['engine', 'stop']);
  }

  /** On the first host, which keeps the authorities; the others are given what is theirs and no more. */
  async #makeCredentials(): Promise<void> {
    const { etc, place } = this.first;
    const server = `https://${place.address}:6443`;
    const pki = (...args: string[]) => this.#wherry(['pki', ...args, '--out', etc]);
    await pki('init', '--apiserver-address', place.address);
    for (const daemon of ['scheduler', 'controller-manager', 'dns'])
      await pki('kubeconfig', daemon, '--server', server, '--file', join(etc, 'kubeconfigs', `${daemon}.conf`));
    for (const { name, address } of places) {
      await pki('store', name, '--address', address);
      if (name !== this.joining.place.name) await pki('node', name, '--address', address, '--server', server);
    }
    for (const host of this.hosts.slice(1)) {
      const node = host === this.joining ? [] : [`nodes/${host.place.name}`];
      for (const path of [...node, `pki/etcd/${host.place.name}`, 'pki/etcd/ca.crt']) {
        mkdirSync(dirname(join(host.etc, path)), { recursive: true });
        cpSync(join(etc, path), join(host.etc, path), { recursive: true });
      }
    }
  }

  #wherry(args: readonly string[]): Promise<string> {
    const environment = { WHERRY_HOME: join(folder, 'home') };
    return succeed('sh', [join(repository, 'wherry'), ...args], { environment, timeoutMs: 300_000 });
  }
}

/** What stands behind `wherry join` in a command that was printed. */
export function joinArguments(command: string): readonly string[] {
  return command.trim().split(/\s+/).slice(2);
}
