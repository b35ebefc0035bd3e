import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Pod, resources, type Service } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import { inTurns, type Row } from './figures.ts';
import { benchCluster, type Session, soon, withCluster } from './session.ts';
import { deployment } from './workload.ts';

const REPEATS = 5;
const REPLICAS = 6;
const NODE_PORT = 30_089;
const PORT = 8080;
const NAME = 'echo';
/** Connections to the service; one that meets the dead node's pod fails after this. */
const ASK_EVERY_MS = 10;
const ANSWER_MS_MAX = 300;

/** Row 23: a worker is killed as by a power cut, on the fast profile; its node comes back between the repeats. */
export function workerLoss(): Promise<readonly Row[]> {
  const cluster = benchCluster('loss', { nodes: 3, flags: ['--runtime', 'docker', '--profile', 'fast'] });
  return withCluster(cluster, async (session) => {
    const askedNode = await start(session.client);
    const trafficMs: number[] = [];
    const series = await inTurns(REPEATS, 'worker killed → its pods Running elsewhere, ms', async () => {
      const { elsewhereMs, lastFailureMs } = await lose(session, askedNode);
      trafficMs.push(lastFailureMs);
      return elsewhereMs;
    });
    return [
      {
        number: '23',
        what: 'worker killed → its pods Running elsewhere',
        unit: 'ms',
        ours: series.ours,
        goal: '≤ 3,000',
      },
      { number: '23', what: 'worker killed → last request that failed', unit: 'ms', ours: trafficMs, goal: '≤ 1,000' },
    ];
  });
}

interface Asked {
  readonly name: string;
  readonly address: string;
}

/** @returns the node that is asked, and spared */
async function start(client: ApiClient): Promise<Asked> {
  await client.create(resources.deployments, deployment({ name: NAME, image: 'wherry/echo:1', replicas: REPLICAS }));
  const service: Service = {
    metadata: { name: NAME, namespace: 'default' },
    spec: { type: 'NodePort', selector: { app: NAME }, ports: [{ port: 80, targetPort: PORT, nodePort: NODE_PORT }] },
  };
  await client.create(resources.services, service);
  const { items } = await client.list(resources.nodes);
  const { metadata, status } = items[0] ?? {};
  const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
  return { name: metadata?.name ?? '', address };
}

async function lose({ client, cluster }: Session, asked: Asked) {
  const before = await settled(client);
  const victim = before.map(({ spec }) => spec?.nodeName).find((node) => node !== undefined && node !== asked.name);
  if (victim === undefined) throw new Error('All pods are on the node that is asked');
  const failures = watchTraffic(asked.address);
  await sleep(500);
  const startMs = performance.now();
  const killed = cluster.wherryOk(['node', 'kill', victim]);
  await soonRunning(client, victim);
  const elsewhereMs = performance.now() - startMs;
  await killed;
  const failedAtMs = failures.stop();
  await cluster.wherryOk(['node', 'start', victim]);
  return { elsewhereMs, lastFailureMs: Math.max(0, (failedAtMs.at(-1) ?? startMs) - startMs) };
}

async function soonRunning(client: ApiClient, lost: string): Promise<void> {
  for (;;) {
    const running = (await pods(client)).filter(
      ({ spec, status }) => spec?.nodeName !== lost && status?.phase === 'Running',
    );
    if (running.length >= REPLICAS) return;
    await sleep(20);
  }
}

async function settled(client: ApiClient): Promise<readonly Pod[]> {
  let found: readonly Pod[] = [];
  await soon(async () => {
    const { items: nodes } = await client.list(resources.nodes);
    const isReady = nodes.every(({ status }) =>
      status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
    );
    found = await pods(client);
    const running = found.filter(({ status }) => status?.phase === 'Running');
    if (!isReady || running.length !== REPLICAS || found.length !== REPLICAS) throw new Error('not settled');
  }, 120_000);
  // Proxies and lists of endpoints have followed by then.
  await sleep(3_000);
  return found;
}

async function pods(client: ApiClient): Promise<readonly Pod[]> {
  const { items } = await client.list(resources.pods, { namespace: 'default', labelSelector: `app=${NAME}` });
  return items;
}

/** One connection after another, at a fixed pace. `stop` gives the times at which those that failed had been begun. */
function watchTraffic(address: string): { readonly stop: () => readonly number[] } {
  const failedAtMs: number[] = [];
  const timer = setInterval(() => {
    const atMs = performance.now();
    const outgoing = request({ host: address, port: NODE_PORT, agent: false, timeout: ANSWER_MS_MAX }, (response) => {
      response.resume();
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', () => failedAtMs.push(atMs));
    outgoing.end();
  }, ASK_EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return [...failedAtMs].sort((a, b) => a - b);
    },
  };
}
