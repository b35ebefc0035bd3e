import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Deployment, isPodReady, type Pod, resources } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import { clientOf } from '../harness/acknowledged-writer.ts';
import { Cluster } from '../harness/cluster.ts';

const PORT = 36_551;
const PODS_PER_DEPLOYMENT = 500;
const IDLE_MS = 30_000;
const CHANGES_MS = 30_000;
const CHANGES_PER_SECOND = 20;
const FILL_MS_MAX = 1_800_000;
/** Of `/proc/<pid>/stat`, on every Linux we know. */
const TICKS_PER_SECOND = 100;

/**
 * What a cluster of hollow nodes costs (PERFORMANCE.md row 20): registration, filling it with pods, and then each
 * daemon's CPU and memory at rest and while 20 pods a second are deleted and replaced. Upstream's service levels: 99 %
 * of pods run 5 s after they were created, 99 % of changing calls are answered within 1 s.
 */
export async function run(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: { nodes: { type: 'string', default: '1000' }, pods: { type: 'string', default: '10000' } },
  });
  const [nodes, pods] = [Number(values.nodes), Number(values.pods)];
  const cluster = new Cluster({ name: 'bench-hollow', nodes: 0, port: PORT, flags: ['--hollow-nodes', values.nodes] });
  try {
    const startMs = performance.now();
    await cluster.up();
    print(`${nodes} nodes Ready in ${seconds(startMs)} s, control plane from empty included`);
    const client = clientOf(cluster.kubeconfig);
    try {
      await idle(cluster, 'nodes only');
      await fill(cluster, client, pods);
      await idle(cluster, `${pods} pods`);
      await change(cluster, client);
    } finally {
      await client.close();
    }
  } finally {
    await cluster.down();
    rmSync(cluster.home, { recursive: true });
  }
}

async function idle(cluster: Cluster, what: string): Promise<void> {
  // What came before settles: garbage, retries, caches that catch up.
  await sleep(IDLE_MS / 3);
  const before = daemonsOf(cluster);
  await sleep(IDLE_MS);
  report(`at rest, ${what}`, before, daemonsOf(cluster), IDLE_MS);
}

async function fill(cluster: Cluster, client: ApiClient, count: number): Promise<void> {
  const before = daemonsOf(cluster);
  const startMs = performance.now();
  const deployments = Math.ceil(count / PODS_PER_DEPLOYMENT);
  for (let index = 0; index < deployments; index++) {
    const replicas = Math.min(PODS_PER_DEPLOYMENT, count - index * PODS_PER_DEPLOYMENT);
    await client.create(resources.deployments, deploymentOf(`fill-${index}`, replicas));
  }
  for (let ready = 0; ready < count; ) {
    await sleep(500);
    const { items } = await client.list(resources.deployments, { namespace: 'default' });
    ready = items.reduce((sum, { status }) => sum + (status?.readyReplicas ?? 0), 0);
    if (performance.now() - startMs > FILL_MS_MAX) throw new Error(`only ${ready} of ${count} pods became ready`);
  }
  const tookMs = performance.now() - startMs;
  print(`${count} pods Ready in ${(tookMs / 1000).toFixed(1)} s: ${Math.round((count / tookMs) * 1000)} pods/s`);
  report('while filling', before, daemonsOf(cluster), tookMs);
}

/** Deletes pods at a steady rate; each is replaced. */
async function change(cluster: Cluster, client: ApiClient): Promise<void> {
  const { items, metadata } = await client.list(resources.pods, { namespace: 'default' });
  const stop = new AbortController();
  const readyMs: number[] = [];
  const watching = measureStarts(client, metadata?.resourceVersion ?? '', readyMs, stop.signal);
  const before = daemonsOf(cluster);
  const calls: Promise<number>[] = [];
  const startMs = performance.now();
  for (let index = 0; performance.now() - startMs < CHANGES_MS; index++) {
    const pod = items[(index * 7919) % items.length];
    calls.push(timed(() => client.delete(resources.pods, pod?.metadata?.name ?? '', { namespace: 'default' })));
    await sleep(Math.max(0, startMs + ((index + 1) * 1000) / CHANGES_PER_SECOND - performance.now()));
  }
  const after = daemonsOf(cluster);
  await sleep(5_000);
  stop.abort();
  await watching;
  const callMs = await Promise.all(calls);
  print(`${callMs.length} deletions, ${readyMs.length} replacements Ready`);
  print(`created → Ready ms: ${quantiles(readyMs)}; delete calls ms: ${quantiles(callMs)}`);
  report(`${CHANGES_PER_SECOND} changes/s`, before, after, CHANGES_MS);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

async function measureStarts(
  client: ApiClient,
  resourceVersion: string,
  readyMs: number[],
  signal: AbortSignal,
): Promise<void> {
  const seenMs = new Map<string, number>();
  try {
    for await (const { type, object } of client.watch<Pod>(resources.pods, { resourceVersion, signal })) {
      const uid = object.metadata?.uid ?? '';
      if (type === 'ADDED') seenMs.set(uid, performance.now());
      const sinceMs = seenMs.get(uid);
      if (sinceMs === undefined || type === 'DELETED' || !isPodReady(object)) continue;
      readyMs.push(performance.now() - sinceMs);
      seenMs.delete(uid);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function deploymentOf(name: string, replicas: number): Deployment {
  const labels = { app: name };
  const readinessProbe = { httpGet: { path: '/', port: 80 }, periodSeconds: 10 };
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image: 'any:1', readinessProbe }] },
      },
    },
  };
}

interface Usage {
  readonly cpuSeconds: number;
  readonly residentMb: number;
}

function daemonsOf(cluster: Cluster): ReadonlyMap<string, Usage> {
  const folder = join(cluster.home, cluster.name, 'run');
  const usage = new Map<string, Usage>();
  for (const file of readdirSync(folder)) {
    const { process: identity } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { process: { pid: number } };
    const fields = readFileSync(`/proc/${identity.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const resident = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${identity.pid}/status`, 'utf8'))?.[1] ?? '0';
    usage.set(file.replace('.json', ''), {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      residentMb: Math.round(Number(resident) / 1024),
    });
  }
  return usage;
}

function report(what: string, before: ReadonlyMap<string, Usage>, after: ReadonlyMap<string, Usage>, ms: number): void {
  const rows = [...after].map(([name, { cpuSeconds, residentMb }]) => {
    const used = cpuSeconds - (before.get(name)?.cpuSeconds ?? 0);
    const share = ((used / ms) * 100_000).toFixed(1);
    return `  ${name.padEnd(22)} ${used.toFixed(1).padStart(7)} CPU s ${share.padStart(6)} % ${String(residentMb).padStart(6)} MB`;
  });
  print(`${what} (${(ms / 1000).toFixed(0)} s):\n${rows.join('\n')}`);
}

function quantiles(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`;
}

const seconds = (sinceMs: number): string => ((performance.now() - sinceMs) / 1000).toFixed(1);

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
