import { readFileSync } from 'node:fs';
import { type Lease, type Node, resources } from '@wherry/api';
import { type ApiClient, createClient, loadKubeconfig } from '@wherry/client';
import type { Context } from '../context.ts';
import { daemonStatuses } from '../daemons/health.ts';
import { stateOf } from '../daemons/process-identity.ts';
import { observeDaemons } from '../daemons/records.ts';
import type { DaemonSpec } from '../daemons/spec.ts';
import { lastWords } from '../daemons/start.ts';
import { Failure } from '../failure.ts';
import type { ClusterLayout } from './layout.ts';
import { isServer } from './specs.ts';

const POLL_MS = 40;
const API_MS_MAX = 30_000;
const NODES_MS_MAX = 60_000;
const HEALTH_MS_MAX = 15_000;

/** The administrator's client; close it when done. */
export function adminClient(layout: ClusterLayout): ApiClient {
  const text = readFileSync(layout.kubeconfig, 'utf8');
  return createClient(loadKubeconfig(text, (path) => readFileSync(path, 'utf8')).connection);
}

/** Waits until the API server says that it is ready. @throws Failure when a daemon ends meanwhile, or after a time limit */
export async function waitForApi(context: Context, layout: ClusterLayout, client: ApiClient): Promise<void> {
  const wait: Wait = { context, layout, needed: isServer, msMax: API_MS_MAX, what: 'the API server' };
  await waitUntil(wait, async () => {
    const response = await client.raw({ method: 'GET', path: '/readyz', signal: context.signal });
    return { done: response.status === 200, detail: '' };
  });
}

/** Waits until these nodes are registered and Ready. @returns the nodes */
export async function waitForNodes(
  context: Context,
  layout: ClusterLayout,
  client: ApiClient,
  names: readonly string[],
  report: (detail: string) => void,
): Promise<readonly Node[]> {
  const { signal } = context;
  let nodes: readonly Node[] = [];
  const wait: Wait = { context, layout, needed: () => true, msMax: NODES_MS_MAX, what: `nodes ${names.join(', ')}` };
  await waitUntil(wait, async () => {
    const [found, leases] = await Promise.all([
      client.list(resources.nodes, { signal }),
      client.list(resources.leases, { namespace: 'kube-node-lease', signal }),
    ]);
    nodes = found.items.filter(({ metadata }) => names.includes(metadata?.name ?? ''));
    const ready = new Set(nodes.filter(isReady).map(({ metadata }) => metadata?.name));
    const alive = new Set(leases.items.filter((lease) => isFresh(layout, lease)).map(({ metadata }) => metadata?.name));
    const waiting = names.filter((name) => !ready.has(name) || !alive.has(name));
    report(`${names.length - waiting.length} of ${names.length} nodes are Ready`);
    return { done: waiting.length === 0, detail: `${waiting.join(', ')} not Ready` };
  });
  return nodes;
}

/**
 * Waits until every daemon says that it is well.
 * @returns those that did not within a time limit: the cluster serves without them, and who uses it should know
 */
export async function waitForHealth(context: Context, layout: ClusterLayout): Promise<readonly string[]> {
  const deadlineMs = context.clock.monotonicMs() + HEALTH_MS_MAX;
  for (;;) {
    const statuses = await daemonStatuses(observeDaemons(layout));
    const unhealthy = statuses.filter(({ healthy }) => !healthy).map(({ name }) => name);
    if (unhealthy.length === 0 || context.clock.monotonicMs() > deadlineMs) return unhealthy;
    await context.clock.sleep(POLL_MS, context.signal);
  }
}

/** Whether the node's kubelet that runs now has renewed it: a node that went down keeps saying Ready for a while. */
function isFresh(layout: ClusterLayout, lease: Lease): boolean {
  const node = lease.metadata?.name;
  const kubelet = observeDaemons(layout).find(
    ({ record }) => record.spec.kind === 'kubelet' && record.spec.node === node,
  );
  return kubelet !== undefined && Date.parse(lease.spec?.renewTime ?? '') >= Date.parse(kubelet.record.startedAt);
}

export function isReady(node: Node): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

interface Wait {
  readonly context: Context;
  readonly layout: ClusterLayout;
  /** Daemons without which waiting is in vain. */
  readonly needed: (spec: DaemonSpec) => boolean;
  readonly msMax: number;
  readonly what: string;
}

async function waitUntil(
  { context, layout, needed, msMax, what }: Wait,
  check: () => Promise<{ readonly done: boolean; readonly detail: string }>,
): Promise<void> {
  const deadlineMs = context.clock.monotonicMs() + msMax;
  let reason = 'no answer';
  for (;;) {
    try {
      const { done, detail } = await check();
      if (done) return;
      if (detail !== '') reason = detail;
    } catch (error) {
      context.signal.throwIfAborted();
      // Refused connections and 503s are what a server that is starting gives.
      reason = error instanceof Error ? error.message : String(error);
    }
    for (const { record } of observeDaemons(layout)) {
      if (needed(record.spec) && stateOf(record.process) === 'gone') {
        throw new Failure(`${record.spec.name} ended: ${await lastWords(layout, record.spec.name)}`);
      }
    }
    if (context.clock.monotonicMs() > deadlineMs) throw new Failure(`Waited ${msMax / 1000} s for ${what}: ${reason}`);
    await context.clock.sleep(POLL_MS, context.signal);
  }
}
