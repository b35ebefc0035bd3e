import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../harness/eventually.ts';
import { repository } from '../harness/repository.ts';
import { run, succeed } from '../harness/run.ts';
import { engineFolder, engineSocket, place } from './place.ts';

/**
 * A Docker engine of the test's own. Containers outlive it (live-restore), as with the engine that `wherry up` starts:
 * on virtual nodes the nodes' own network namespaces belong to containers.
 */
export class Engine {
  readonly log = join(engineFolder, 'dockerd.log');
  #process: ChildProcess | undefined;
  /** Flags that this machine needs. */
  #runtime: readonly string[] | undefined;

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  async start(): Promise<void> {
    if (this.isRunning) return;
    mkdirSync(engineFolder, { recursive: true });
    this.#runtime ??= (await succeed('sh', [join(repository, 'wherry'), 'engine', 'runtime']))
      .split('\n')
      .filter((flag) => flag !== '');
    await this.#forgetContainerd();
    const log = openSync(this.log, 'a');
    try {
      const child = spawn(
        'dockerd',
        [
          `--data-root=${join(engineFolder, 'data')}`,
          `--exec-root=${join(engineFolder, 'exec')}`,
          `--pidfile=${join(engineFolder, 'docker.pid')}`,
          `--host=unix://${engineSocket}`,
          `--cgroup-parent=${place.controlGroup}`,
          '--exec-opt=native.cgroupdriver=cgroupfs',
          '--storage-driver=overlay2',
          '--live-restore',
          ...this.#runtime,
        ],
        {
          stdio: ['ignore', log, log],
          // A terminal's Ctrl-C is for the test, which then takes the cluster down with this engine's help.
          detached: true,
          env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
        },
      );
      await once(child, 'spawn');
      this.#process = child;
    } finally {
      closeSync(log);
    }
  }

  /**
   * A killed engine takes its containerd along, which is a zombie for as long as process 1 does not ask for it; the next
   * engine takes a zombie for a living one, and waits for it in vain for 15 s.
   */
  async #forgetContainerd(): Promise<void> {
    const file = join(engineFolder, 'exec', 'containerd', 'containerd.pid');
    if (!existsSync(file)) return;
    const pid = readFileSync(file, 'utf8').trim();
    await eventually(`containerd (process ${pid}) ends`, () => {
      const status = existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : 'State:\tX';
      if (!/^State:\s+[ZX]/m.test(status)) throw new Error(`it is still there: ${status.split('\n')[0]}`);
    });
    rmSync(file);
  }

  async answers(): Promise<void> {
    await eventually(
      'the engine answers',
      async () => {
        const { code, stderr } = await run('docker', ['version', '--format', '{{.Server.Version}}']);
        if (code !== 0) throw new Error(stderr);
      },
      { timeoutMs: 30_000 },
    );
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined || !this.isRunning) return;
    const ended = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await ended;
  }
}

/** Whether the engine answered with this HTTP status. */
export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === status;
}
