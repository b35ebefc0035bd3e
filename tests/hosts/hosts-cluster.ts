import { cpSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { eventually } from '../harness/eventually.ts';
import { KubectlUser } from '../harness/kubectl-user.ts';
import { repository } from '../harness/repository.ts';
import { succeed } from '../harness/run.ts';
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
  'controller-manager': ['--node-monitor-period=500ms', '--node-monitor-grace-period=4s'],
  // The three hosts are one machine.
  kubelet: ['--node-status-update-frequency=1s', '--node-lease-duration-seconds=4', '--capacity-divisor=3'],
};

/** The cluster of docs/three-hosts.md: three stores and nodes, and the rest of the control plane on the first host. */
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
      await host.install(host === this.first ? [...everywhere, ...controlPlane] : everywhere, places);
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
    await this.#wherry(['addons', 'apply', '--kubeconfig', this.kubeconfig]);
    for (const daemon of controlPlane.slice(1)) await this.first.start(daemon, fast[daemon]);
    for (const host of this.hosts) await this.startNode(host);
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
      await pki('node', name, '--address', address, '--server', server);
    }
    for (const host of this.hosts.slice(1)) {
      for (const path of [`nodes/${host.place.name}`, `pki/etcd/${host.place.name}`, 'pki/etcd/ca.crt']) {
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
