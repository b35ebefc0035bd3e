import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock, systemRandom } from '@wherry/daemon';
import { controlPlaneWishes, ensureTree } from '@wherry/pki';
import { createStoreClient, type StoreClient, tlsConnector } from '@wherry/store/client';
import { repository } from './repository.ts';

interface Member {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly metricsUrl: string;
}

/** Store members as processes of their own, with certificates and directories in a folder that goes with them. */
export class StoreProcesses {
  readonly folder: string;
  members: readonly Member[];
  readonly #running = new Map<string, ChildProcess>();
  readonly #clients = new Set<StoreClient>();
  readonly #flags: readonly string[];
  readonly #program: readonly string[];
  /** Everything the members have said. */
  output = '';

  /** @param program what runs a member, in place of its sources */
  static async make(
    count: number,
    flags: readonly string[] = [],
    program: readonly string[] = [process.execPath, join(repository, 'packages/store/src/main.ts')],
  ): Promise<StoreProcesses> {
    const folder = await mkdtemp(join(tmpdir(), 'wherry-store-'));
    const names = { ipAddresses: [], dnsNames: [], serviceIp: '10.96.0.1', clusterDomain: 'cluster.local' };
    await ensureTree(join(folder, 'pki'), controlPlaneWishes(names), Date.now());
    const places = await freePlaces(count);
    const members = places.map((place, i) => ({ name: `store-${i + 1}`, ...place }));
    return new StoreProcesses(folder, members, flags, program);
  }

  private constructor(
    folder: string,
    members: readonly Member[],
    flags: readonly string[],
    program: readonly string[],
  ) {
    this.folder = folder;
    this.members = members;
    this.#flags = flags;
    this.#program = program;
  }

  /** Gives members other addresses, from their next start on. */
  async move(...indexes: readonly number[]): Promise<void> {
    const places = await freePlaces(indexes.length);
    this.members = this.members.map((member, i) => ({ ...member, ...places[indexes.indexOf(i)] }));
  }

  /** @param flags more of them, which win */
  start(index: number, ...flags: readonly string[]): void {
    const { name, clientUrl, peerUrl, metricsUrl } = this.#member(index);
    const pki = (file: string) => join(this.folder, 'pki', 'etcd', file);
    const more = [...this.#flags, ...flags];
    const given = new Set(more.map((flag) => flag.split('=')[0]));
    const usual = [
      `--name=${name}`,
      `--data-dir=${join(this.folder, name)}`,
      `--listen-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=${this.members.map((member) => `${member.name}=${member.peerUrl}`).join(',')}`,
      `--listen-metrics-urls=${metricsUrl}`,
      `--cert-file=${pki('server.crt')}`,
      `--key-file=${pki('server.key')}`,
      `--trusted-ca-file=${pki('ca.crt')}`,
      `--peer-cert-file=${pki('peer.crt')}`,
      `--peer-key-file=${pki('peer.key')}`,
      `--peer-trusted-ca-file=${pki('ca.crt')}`,
    ];
    const args = [...usual.filter((flag) => !given.has(flag.split('=')[0])), ...more];
    const [program = '', ...before] = this.#program;
    const child = spawn(program, [...before, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const hear = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    this.#running.set(name, child);
  }

  startAll(): void {
    for (const index of this.members.keys()) this.start(index);
  }

  pid(index: number): number {
    return this.#running.get(this.#member(index).name)?.pid ?? 0;
  }

  /** Ends a process and waits for its end. @returns its exit code, or null after SIGKILL */
  async stop(index: number, signal: NodeJS.Signals): Promise<number | null> {
    const { name } = this.#member(index);
    const child = this.#running.get(name);
    if (child === undefined) return null;
    this.#running.delete(name);
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = once(child, 'exit');
    child.kill(signal);
    return (await ended)[0] as number | null;
  }

  /** Waits for a process to end by itself. */
  async ended(index: number): Promise<number | null> {
    const child = this.#running.get(this.#member(index).name);
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    return (await once(child, 'exit'))[0] as number | null;
  }

  /** @param identity a certificate of the folder's `pki/` */
  async client(identity = 'apiserver-etcd-client', requestTimeoutMs = 10_000): Promise<StoreClient> {
    const client = createStoreClient({
      endpoints: this.members.map((member) => member.clientUrl),
      connector: tlsConnector(await this.tls(identity)),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      requestTimeoutMs,
    });
    this.#clients.add(client);
    return client;
  }

  async tls(identity = 'apiserver-etcd-client'): Promise<{ ca: string; cert: string; key: string }> {
    const read = (file: string) => readFile(join(this.folder, 'pki', file), 'utf8');
    const [ca, cert, key] = await Promise.all([read('etcd/ca.crt'), read(`${identity}.crt`), read(`${identity}.key`)]);
    return { ca, cert, key };
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
    await Promise.all(this.members.map((_, index) => this.stop(index, 'SIGKILL')));
    await rm(this.folder, { recursive: true });
  }

  #member(index: number): Member {
    const member = this.members[index];
    if (member === undefined) throw new Error(`There is no member ${index}`);
    return member;
  }
}

async function freePlaces(count: number): Promise<Omit<Member, 'name'>[]> {
  const ports = await freePorts(count * 3);
  return Array.from({ length: count }, (_, i) => ({
    clientUrl: `https://127.0.0.1:${ports[i * 3]}`,
    peerUrl: `https://127.0.0.1:${ports[i * 3 + 1]}`,
    metricsUrl: `http://127.0.0.1:${ports[i * 3 + 2]}`,
  }));
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  return servers.map((server) => {
    const address = server.address();
    server.close();
    if (address === null || typeof address === 'string') throw new Error('A server has no port');
    return address.port;
  });
}
