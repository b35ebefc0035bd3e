import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ensureProgram } from './debian.ts';
import { type Finished, run, succeed } from './run.ts';
import type { StoreProcesses } from './store-processes.ts';

type Environment = Readonly<Record<string, string>>;

/** Debian's unmodified etcdctl, pointed at some endpoints. */
export class Etcdctl {
  readonly environment: Environment;

  private constructor(environment: Environment) {
    this.environment = { ETCDCTL_API: '3', ETCDCTL_COMMAND_TIMEOUT: '10s', ...environment };
  }

  /** For members of ours, all of them or those named by index. */
  static async of(store: StoreProcesses, ...indexes: readonly number[]): Promise<Etcdctl> {
    await ensureProgram('etcdctl', 'etcd-client');
    const pki = (file: string) => join(store.folder, 'pki', file);
    const members = indexes.length === 0 ? store.members : indexes.map((index) => store.members[index]);
    return new Etcdctl({
      ETCDCTL_ENDPOINTS: members.map((member) => member?.clientUrl ?? '').join(','),
      ETCDCTL_CACERT: pki('etcd/ca.crt'),
      ETCDCTL_CERT: pki('etcd/healthcheck-client.crt'),
      ETCDCTL_KEY: pki('etcd/healthcheck-client.key'),
    });
  }

  /** For an etcd without TLS. */
  static async plain(endpoint: string): Promise<Etcdctl> {
    await ensureProgram('etcdctl', 'etcd-client');
    return new Etcdctl({ ETCDCTL_ENDPOINTS: endpoint });
  }

  /** Runs a command that must succeed. @returns its lines */
  async lines(...args: readonly string[]): Promise<string[]> {
    const output = await succeed('etcdctl', args, { environment: this.environment });
    return output.trimEnd().split('\n');
  }

  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse((await this.lines(...args, '-w', 'json')).join('\n')) as T;
  }

  /** What a command that must fail says. */
  async failure(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code === 0) throw new Error(`etcdctl ${args.join(' ')} should have failed:\n${stdout}`);
    return stderr
      .split('\n')
      .filter((line) => line.startsWith('Error: '))
      .join('\n');
  }

  run(args: readonly string[], input?: string): Promise<Finished> {
    return run('etcdctl', args, { environment: this.environment, ...(input === undefined ? {} : { input }) });
  }

  /** Starts a command that goes on by itself; `stop` ends it. */
  start(...args: readonly string[]): RunningCommand {
    return new RunningCommand(spawn('etcdctl', args, { env: { ...process.env, ...this.environment } }));
  }
}

/** A command that goes on, and what it has said so far. */
export class RunningCommand {
  readonly #child: ChildProcess;
  output = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    const hear = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
  }

  async ended(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    return (await once(this.#child, 'exit'))[0] as number | null;
  }
}
