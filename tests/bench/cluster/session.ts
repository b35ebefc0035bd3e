import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient, createClient } from '@wherry/client';
import { Cluster, type ClusterOptions } from '../../harness/cluster.ts';
import { repository } from '../../harness/repository.ts';

const PORT = 36_515;

/** A cluster of a benchmark, and its administrator's client. */
export interface Session {
  readonly cluster: Cluster;
  readonly client: ApiClient;
}

export function benchCluster(name: string, options: Partial<ClusterOptions> = {}): Cluster {
  return new Cluster({ name: `bench-${name}`, nodes: 1, port: PORT, ...options });
}

/** Runs `work` on a cluster of its own, which is removed whatever happens. */
export async function withCluster<T>(cluster: Cluster, work: (session: Session) => Promise<T>): Promise<T> {
  try {
    await cluster.up();
    const client = createClient(cluster.credentials());
    try {
      return await work({ cluster, client });
    } finally {
      await client.close();
    }
  } finally {
    await remove(cluster);
  }
}

/**
 * Starts a cluster from nothing and gives its client as soon as there is one, while `wherry up` is still at work.
 * @param flags of `wherry up`
 * @returns milliseconds from its start until `reached` has resolved
 */
export async function timedStart(
  cluster: Cluster,
  flags: readonly string[],
  reached: (client: ApiClient) => Promise<void>,
): Promise<number> {
  mkdirSync(cluster.home, { recursive: true });
  const startMs = performance.now();
  const up = spawn('sh', [join(repository, 'wherry'), 'up', '--name', cluster.name, '--port', String(PORT), ...flags], {
    stdio: 'ignore',
    env: { ...process.env, WHERRY_HOME: cluster.home },
  });
  const ended = once(up, 'exit');
  try {
    while (!existsSync(cluster.kubeconfig)) await sleep(5);
    const client = createClient(cluster.credentials());
    await reached(client);
    const tookMs = performance.now() - startMs;
    await client.close();
    await ended;
    return tookMs;
  } finally {
    up.kill('SIGTERM');
    await ended;
    await remove(cluster);
  }
}

/** Tries until it is done; what fails is what a server that starts gives. */
export async function soon(attempt: () => Promise<unknown>, timeoutMs = 60_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await sleep(5);
    }
  }
}

async function remove(cluster: Cluster): Promise<void> {
  await cluster.down();
  rmSync(cluster.home, { recursive: true, force: true });
}
