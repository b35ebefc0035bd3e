import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { eventually } from '../harness/eventually.ts';
import { repository } from '../harness/repository.ts';
import { type Finished, run, succeed } from '../harness/run.ts';
import { type HostPlace, onHost } from './lan.ts';
import { controlGroup } from './leftovers.ts';

export type DaemonKind = 'store' | 'apiserver' | 'scheduler' | 'controller-manager' | 'dns' | 'kubelet' | 'proxy';

/** One host: its folders, its own Docker engine, and the daemons that were started on it by hand. */
export class Host {
  readonly place: HostPlace;
  readonly folder: string;
  /** Instead of /etc/wherry and /var/lib/wherry. */
  readonly etc: string;
  readonly #state: string;

  constructor(place: HostPlace, parent: string) {
    this.place = place;
    this.folder = join(parent, place.name);
    this.etc = join(this.folder, 'etc');
    this.#state = join(this.folder, 'state');
    mkdirSync(this.folder, { recursive: true });
  }

  get #socket(): string {
    return `unix://${join(this.folder, 'docker.sock')}`;
  }

  /** `dockerd` with the settings of the guide, and with folders, socket and control group of this host. */
  async startEngine(): Promise<void> {
    const runtime = (await this.#wherry(['engine', 'runtime'])).split('\n').filter((flag) => flag !== '');
    await this.#spawn('dockerd', [
      'dockerd',
      `--config-file=${join(repository, 'deploy/systemd/docker-daemon.json')}`,
      `--data-root=${join(this.folder, 'docker')}`,
      `--exec-root=${join(this.folder, 'exec')}`,
      `--pidfile=${join(this.folder, 'docker.pid')}`,
      `--host=${this.#socket}`,
      `--cgroup-parent=${controlGroup(this.place)}`,
      '--exec-opt=native.cgroupdriver=cgroupfs',
      '--storage-driver=overlay2',
      ...runtime,
    ]);
    await eventually(
      `the engine of ${this.place.name}`,
      async () => {
        const { code, stderr } = await run('docker', [
          '-H',
          this.#socket,
          'version',
          '--format',
          '{{.Server.Version}}',
        ]);
        if (code !== 0) throw new Error(stderr);
      },
      { timeoutMs: 30_000 },
    );
  }

  /** @param id as the API has it, docker://… */
  async killContainer(id: string): Promise<void> {
    await succeed('docker', ['-H', this.#socket, 'kill', id.replace('docker://', '')]);
  }

  /** Into this engine alone: no registry, and nothing shared with the others. */
  async makeSamples(): Promise<void> {
    await this.#wherry(['image', 'samples']);
  }

  /** As the guide says: environment files for these daemons, once. */
  async install(daemons: readonly DaemonKind[], hosts: readonly HostPlace[]): Promise<void> {
    await succeed('sh', [join(repository, 'deploy/systemd/install.sh'), this.place.name, ...daemons], {
      environment: {
        ETC: this.etc,
        STATE: this.#state,
        UNITS: join(this.folder, 'units'),
        HOSTS: hosts.map(({ name, address }) => `${name}=${address}`).join(' '),
      },
    });
  }

  /** Starts a daemon as its unit does: environment file, `wherry daemon exec`, and further flags. */
  async start(daemon: DaemonKind, flags: readonly string[] = []): Promise<void> {
    const unit = readFileSync(join(this.folder, 'units', 'wherry@.service'), 'utf8');
    const command = /^ExecStart=\/opt\/wherry\/wherry (.+) %i$/m.exec(unit)?.[1]?.split(' ') ?? [];
    const text = readFileSync(join(this.etc, `${daemon}.env`), 'utf8');
    const environment = Object.fromEntries(
      [...text.matchAll(/^(WHERRY_[A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    const engine = daemon === 'kubelet' ? [`--container-runtime-endpoint=${this.#socket}`] : [];
    const program = ['sh', join(repository, 'wherry'), ...command, daemon, ...engine, ...flags];
    await this.#spawn(daemon, program, environment);
  }

  /** Runs `wherry` on this host, with state of its own and with the host's engine. */
  wherry(args: readonly string[]): Promise<Finished> {
    const [program = '', ...command] = [...onHost(this.place), 'sh', join(repository, 'wherry'), ...args];
    return run(program, command, { environment: this.#environment, timeoutMs: 120_000 });
  }

  /** What a daemon wrote that `wherry join` started. */
  joinedLog(daemon: 'kubelet' | 'proxy'): string {
    return readFileSync(join(this.#joined, 'logs', `${daemon}-${this.place.name}.jsonl`), 'utf8');
  }

  /** What a node leaves on its host: containers, its own tables of the firewall, and routes to other nodes' pods. */
  async traces(): Promise<{ readonly containers: string; readonly tables: string; readonly routes: string }> {
    const here = async (program: string, ...args: readonly string[]): Promise<string> => {
      const [enter = '', ...rest] = [...onHost(this.place), program, ...args];
      return (await succeed(enter, rest)).trim();
    };
    return {
      containers: await here('docker', '-H', this.#socket, 'ps', '-aq'),
      tables: await here('nft', 'list', 'tables'),
      routes: await here('ip', '-4', 'route', 'show', 'proto', '87'),
    };
  }

  get #joined(): string {
    return join(this.#home, 'default');
  }

  /** Waits until somebody listens there. */
  async listens(port: number, address = this.place.address): Promise<void> {
    await eventually(
      `${address}:${port}`,
      async () => {
        const socket = connect({ host: address, port });
        try {
          await once(socket, 'connect', { signal: AbortSignal.timeout(2_000) });
        } finally {
          socket.destroy();
        }
      },
      { timeoutMs: 30_000, everyMs: 100 },
    );
  }

  /** The end of each daemon's log, for a failed test's reader. */
  lastWords(lines: number): string {
    return [this.folder, join(this.#joined, 'logs')]
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
      .filter((path) => /\.(log|jsonl)$/.test(path))
      .map((path) => {
        const tail = readFileSync(path, 'utf8').trim().split('\n').slice(-lines);
        return `--- ${this.place.name} ${basename(path)}\n${tail.join('\n')}`;
      })
      .join('\n');
  }

  get #home(): string {
    return join(this.folder, 'home');
  }

  get #environment(): Readonly<Record<string, string>> {
    return { DOCKER_HOST: this.#socket, WHERRY_HOME: this.#home };
  }

  #wherry(args: readonly string[]): Promise<string> {
    return succeed('sh', [join(repository, 'wherry'), ...args], { environment: this.#environment });
  }

  async #spawn(name: string, command: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<void> {
    const [program = '', ...args] = [...onHost(this.place), ...command];
    const log = openSync(join(this.folder, `${name}.log`), 'a');
    try {
      const child = spawn(program, args, {
        detached: true,
        stdio: ['ignore', log, log],
        env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, ...environment },
      });
      await once(child, 'spawn');
      child.unref();
    } finally {
      closeSync(log);
    }
  }
}
