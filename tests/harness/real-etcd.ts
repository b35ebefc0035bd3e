import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { ensureProgram } from './debian.ts';
import { Etcdctl } from './etcdctl.ts';
import { eventually } from './eventually.ts';
import { freePorts } from './store-processes.ts';

/** Debian's etcd, one member without TLS, in a directory that goes with it. */
export class RealEtcd {
  readonly url: string;
  readonly #peerUrl: string;
  readonly dataDir: string;
  #child: ChildProcess | undefined;
  #output = '';

  /** @param dataDir may hold what a restore made; it is removed in the end */
  static async start(dataDir: string): Promise<RealEtcd> {
    await ensureProgram('etcd', 'etcd-server');
    const [client, peer] = await freePorts(2);
    const etcd = new RealEtcd(dataDir, `http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`);
    await etcd.#run();
    return etcd;
  }

  private constructor(dataDir: string, url: string, peerUrl: string) {
    this.dataDir = dataDir;
    this.url = url;
    this.#peerUrl = peerUrl;
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    const child = spawn('etcd', [
      `--data-dir=${this.dataDir}`,
      `--listen-client-urls=${this.url}`,
      `--advertise-client-urls=${this.url}`,
      `--listen-peer-urls=${this.#peerUrl}`,
      `--initial-advertise-peer-urls=${this.#peerUrl}`,
      `--initial-cluster=default=${this.#peerUrl}`,
    ]);
    this.#child = child;
    const hear = (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const etcdctl = await Etcdctl.plain(this.url);
    await eventually('etcd serves', async () => {
      if (child.exitCode !== null) throw new Error(`etcd ended:\n${this.#output}`);
      await etcdctl.lines('endpoint', 'health');
    });
  }
}
