import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Node, NodeList } from '@wherry/api';
import { ensureProgram } from '../harness/debian.ts';
import { KubectlUser } from '../harness/kubectl-user.ts';
import { repository } from '../harness/repository.ts';
import { run, succeed } from '../harness/run.ts';
import { type BaseImages, ensureBaseImages } from './images.ts';

/** Fixed names: what an earlier run left when it was killed is found and removed. */
const PROJECT = 'wherry-compose-test';
const OCCUPIED = `${PROJECT}-occupied`;
const PORT = 17643;
const ECHO_PORT = 17680;
const SLOW = { timeoutMs: 600_000 };

/** The cluster of docker-compose.yml, as a user has it, beside whatever else runs on this machine. */
export class ComposeCluster extends KubectlUser {
  readonly home = join(tmpdir(), PROJECT);
  readonly kubeconfig = join(this.home, 'kubeconfig');
  /** The node port of examples/echo.yaml on this host. */
  readonly echoUrl = `http://127.0.0.1:${ECHO_PORT}`;
  #images: BaseImages | undefined;
  #program: Promise<readonly string[]> | undefined;

  async prepare(): Promise<void> {
    await succeed('sh', [join(repository, 'wherry'), 'engine', 'start'], {
      ...SLOW,
      environment: { WHERRY_HOME: this.home },
    });
    this.#images = await ensureBaseImages();
    await this.remove();
    mkdirSync(this.home, { recursive: true });
    await this.compose(['build']);
    // What the image was called before; recent layers stay, they make the next build fast.
    await succeed('docker', ['image', 'prune', '-f', '--filter', 'label=io.wherry.image', '--filter', 'until=1h']);
  }

  up(): Promise<string> {
    return this.compose(['up', '-d']);
  }

  /** Ends the cluster and keeps its volumes. */
  down(): Promise<string> {
    return this.compose(['down']);
  }

  /** Keeps the next `up` from getting the network, and so the addresses, that the cluster has now. */
  async occupyNetwork(subnet: string): Promise<void> {
    await succeed('docker', ['network', 'create', '--subnet', subnet, OCCUPIED]);
  }

  async subnet(): Promise<string> {
    const format = '{{(index .IPAM.Config 0).Subnet}}';
    return (await succeed('docker', ['network', 'inspect', '-f', format, `${PROJECT}_default`])).trim();
  }

  /** Ends the cluster, and leaves nothing but images. */
  async remove(): Promise<void> {
    await this.compose(['down', '--volumes', '--remove-orphans', '--timeout', '1']);
    await run('docker', ['network', 'rm', OCCUPIED]);
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Ends only an engine that `prepare` started. */
  async close(): Promise<void> {
    mkdirSync(this.home, { recursive: true });
    await succeed('sh', [join(repository, 'wherry'), 'engine', 'stop'], { environment: { WHERRY_HOME: this.home } });
    rmSync(this.home, { recursive: true, force: true });
  }

  async compose(args: readonly string[]): Promise<string> {
    this.#program ??= composeProgram();
    const [program = '', ...words] = await this.#program;
    return succeed(program, [...words, '-p', PROJECT, '-f', join(repository, 'docker-compose.yml'), ...args], {
      ...SLOW,
      cwd: repository,
      environment: {
        WHERRY_IMAGE: 'wherry-test/compose:latest',
        WHERRY_BASE_IMAGE: this.#images?.base,
        WHERRY_BUILD_IMAGE: this.#images?.build,
        WHERRY_PORT: String(PORT),
        WHERRY_ECHO_PORT: String(ECHO_PORT),
        WHERRY_HOST_FOLDER: this.home,
      },
    });
  }

  /** What each service said last, for a test that failed. */
  async lastWords(): Promise<string> {
    return `${await this.compose(['ps'])}\n${await this.compose(['logs', '--no-color', '--tail', '15'])}`;
  }

  /** Runs a shell's line in a service's container. Past docker-compose, which takes seconds to start. */
  async inside(service: string, line: string): Promise<string> {
    const labels = [`com.docker.compose.project=${PROJECT}`, `com.docker.compose.service=${service}`];
    const filters = labels.flatMap((label) => ['--filter', `label=${label}`]);
    const container = (await succeed('docker', ['ps', '-q', ...filters])).trim();
    return succeed('docker', ['exec', container, 'sh', '-c', line]);
  }

  /** Address of each node that is ready. */
  async readyNodes(): Promise<ReadonlyMap<string, string>> {
    const { items } = await this.get<NodeList>(['nodes']);
    return new Map(items.filter(isReady).map((node) => [node.metadata?.name ?? '', addressOf(node)]));
  }
}

/** Debian's docker-compose where there is one, or else Docker's plugin; installed when there is neither. */
async function composeProgram(): Promise<readonly string[]> {
  const hasPlugin = (await run('docker', ['compose', 'version'])).code === 0;
  const hasProgram = (await run('sh', ['-c', 'command -v docker-compose'])).code === 0;
  if (hasPlugin && !hasProgram) return ['docker', 'compose'];
  await ensureProgram('docker-compose', 'docker-compose');
  return ['docker-compose'];
}

function isReady({ status }: Node): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
}

function addressOf({ status }: Node): string {
  return status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
}
