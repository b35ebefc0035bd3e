import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { eventually } from '../../harness/eventually.ts';
import { endEverythingOf, removeControlGroup, unmountBelow } from '../../harness/leftover-processes.ts';
import { repository } from '../../harness/repository.ts';
import { run, succeed } from '../../harness/run.ts';

const folder = join(tmpdir(), 'wherry-bench-swarm');
const place = { name: 'swarm', namespace: 'wherry-bench-swarm', controlGroup: '/wherry-bench/swarm' };
const POLL_MS = 20;

export interface SwarmService {
  readonly name: string;
  readonly image: string;
  readonly replicas: number;
  readonly command?: readonly string[];
}

/**
 * Docker Swarm in an engine of its own, in a network namespace of its own: neither its rules nor its networks meet
 * those of this machine. It listens on loopback, where `docker swarm init` works as on any host.
 */
export class Swarm {
  readonly socket = join(folder, 'docker.sock');
  readonly docker = new Docker({ socketPath: this.socket });

  /** From nothing: what an earlier run left goes first. */
  async start(): Promise<void> {
    await removeSwarm();
    mkdirSync(folder, { recursive: true });
    await succeed('ip', ['netns', 'add', place.namespace]);
    await succeed('ip', ['-n', place.namespace, 'link', 'set', 'lo', 'up']);
    await this.#startEngine();
  }

  /** For programs that are to be beside the containers. */
  get enter(): readonly string[] {
    return ['nsenter', `--net=/run/netns/${place.namespace}`, '--'];
  }

  async init(): Promise<void> {
    await this.docker.swarmInit({ ListenAddr: '127.0.0.1:2377', AdvertiseAddr: '127.0.0.1', ForceNewCluster: false });
  }

  async leave(): Promise<void> {
    await this.docker.swarmLeave({ force: true });
  }

  /** @returns milliseconds until every task says running */
  async create(service: SwarmService): Promise<number> {
    const startMs = performance.now();
    const container = { Image: service.image, ...(service.command && { Command: [...service.command] }) };
    await this.docker.createService({
      Name: service.name,
      TaskTemplate: { ContainerSpec: container, RestartPolicy: { Condition: 'any' } },
      Mode: { Replicated: { Replicas: service.replicas } },
    });
    for (;;) {
      const tasks: readonly { readonly Status: { readonly State: string } }[] = await this.docker.listTasks({
        filters: { service: [service.name], 'desired-state': ['running'] },
      });
      if (tasks.filter(({ Status }) => Status.State === 'running').length === service.replicas)
        return performance.now() - startMs;
      await sleep(POLL_MS);
    }
  }

  /** @returns milliseconds until the last of its containers is gone */
  async remove(name: string): Promise<number> {
    const startMs = performance.now();
    await this.docker.getService(name).remove();
    for (;;) {
      const left = await this.docker.listContainers({
        all: true,
        filters: { label: [`com.docker.swarm.service.name=${name}`] },
      });
      if (left.length === 0) return performance.now() - startMs;
      await sleep(POLL_MS);
    }
  }

  async #startEngine(): Promise<void> {
    const wherry = join(repository, 'wherry');
    const runtime = (await succeed('sh', [wherry, 'engine', 'runtime'])).split('\n').filter((flag) => flag !== '');
    const log = openSync(join(folder, 'dockerd.log'), 'a');
    const [program = '', ...args] = [
      ...this.enter,
      'dockerd',
      `--data-root=${join(folder, 'docker')}`,
      `--exec-root=${join(folder, 'exec')}`,
      `--pidfile=${join(folder, 'docker.pid')}`,
      `--host=unix://${this.socket}`,
      `--cgroup-parent=${place.controlGroup}`,
      '--exec-opt=native.cgroupdriver=cgroupfs',
      '--storage-driver=overlay2',
      ...runtime,
    ];
    spawn(program, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    }).unref();
    closeSync(log);
    await eventually('the engine of Swarm', async () => void (await this.docker.version()), { timeoutMs: 30_000 });
  }
}

/** Ends Swarm and all it left, also what an earlier, killed run left. */
export async function removeSwarm(): Promise<void> {
  await endEverythingOf(place);
  await unmountBelow(folder);
  const { stdout } = await run('ip', ['netns', 'list']);
  if (stdout.includes(place.namespace)) await succeed('ip', ['netns', 'del', place.namespace]);
  removeControlGroup('/wherry-bench');
  rmSync(folder, { recursive: true, force: true });
}
