import { conflict, type Node, type Pod, type PodDisruptionBudget } from '@wherry/api';
import { ApiClient, type ApiRequest, type ApiResponse, EventRecorder, InformerCache } from '@wherry/client';
import { createMetrics, Scope, seededRandom, silentLogger, VirtualClock } from '@wherry/daemon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster } from '../cluster/cluster.ts';
import { SchedulingCycle } from '../framework/cycle.ts';
import { defaultProfile } from '../plugins/default-profile.ts';
import { SchedulingQueue } from '../queue/scheduling-queue.ts';
import { node, pod } from '../testing/cluster-builder.ts';
import { Binder } from './binder.ts';
import { FailureReporter } from './failure-reporter.ts';
import { Preemptor } from './preemptor.ts';
import { Scheduler } from './scheduler.ts';
import { createSchedulerMetrics } from './scheduler-metrics.ts';

const NO_VICTIMS =
  'no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';

async function* text(body: unknown): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(body));
}

describe('Scheduler', () => {
  let clock: VirtualClock;
  let scope: Scope;
  let pods: InformerCache<Pod>;
  let nodes: InformerCache<Node>;
  /** What the API server was told, in short. */
  let told: string[];
  let refuseBinding: boolean;

  const answer = (request: ApiRequest): ApiResponse => {
    if (request.method === 'DELETE') {
      told.push(`delete ${request.path.split('/').at(-1)}`);
      return { status: 200, headers: {}, body: text({ kind: 'Status' }) };
    }
    const body = JSON.parse(String(request.body)) as {
      target?: { name: string };
      status?: { conditions: { reason: string; message: string }[] };
      reason?: string;
      message?: string;
    };
    if (request.path.endsWith('/binding') && refuseBinding) {
      const { status } = conflict({ group: '', resource: 'pods' }, 'p', 'already assigned');
      return { status: 409, headers: {}, body: text(status) };
    }
    const condition = body.status?.conditions[0];
    if (request.path.endsWith('/binding')) told.push(`bind ${request.path.split('/').at(-2)} to ${body.target?.name}`);
    else if (condition !== undefined) told.push(`${condition.reason}: ${condition.message}`);
    else told.push(`event ${body.reason}: ${body.message}`);
    return { status: 201, headers: {}, body: text({ metadata: { name: 'x', resourceVersion: '7' } }) };
  };

  beforeEach(() => {
    clock = new VirtualClock();
    scope = new Scope('test', silentLogger);
    pods = new InformerCache<Pod>({}, (object) => object);
    nodes = new InformerCache<Node>({}, (object) => object);
    told = [];
    refuseBinding = false;
    const client = new ApiClient({ request: async (request) => answer(request), close: async () => undefined });
    const logger = silentLogger;
    const queue = new SchedulingQueue(defaultProfile.filters);
    const events = new EventRecorder({ client, clock, logger, scope, component: 'default-scheduler' });
    const failures = new FailureReporter({ client, events, clock, logger, scope });
    const metrics = createSchedulerMetrics(createMetrics(), 'default-scheduler');
    const cluster = new Cluster({
      queue,
      surroundings: { namespaceLabels: () => undefined, workloadSelector: () => undefined },
      schedulerName: 'default-scheduler',
      clock,
      logger,
      wake: () => scheduler.wake(),
      settled: (key) => failures.forget(key),
    });
    const binder = new Binder({ client, cluster, queue, events, failures, metrics, clock, logger });
    const cycle = new SchedulingCycle(defaultProfile, () => 0);
    const { filters } = defaultProfile;
    const budgets = new InformerCache<PodDisruptionBudget>({}, (object) => object);
    const random = seededRandom(1);
    const preemptor = new Preemptor({ client, cluster, queue, filters, budgets, events, clock, random, logger, scope });
    const profile = defaultProfile;
    const parts = { cluster, queue, cycle, profile, binder, failures, preemptor, metrics, clock, logger };
    const scheduler = new Scheduler(parts);
    nodes.onChange((change) => cluster.onNode(change));
    pods.onChange((change) => cluster.onPod(change));
    scope.run('schedule', () => scheduler.run(scope));
  });
  afterEach(() => scope.close());

  const large = (name: string) => pod(name, { requests: { cpu: '3' } });
  const placed = (one: Pod, nodeName: string): Pod => ({ ...one, spec: { containers: [], ...one.spec, nodeName } });

  it('binds a pod and says so', async () => {
    nodes.upsert(node('n'));
    pods.upsert(pod('p'));
    await clock.advance(10);
    expect(told).toEqual(['bind p to n', 'event Scheduled: Successfully assigned default/p to n']);
  });

  it('counts a pod it has placed before the API server says so', async () => {
    nodes.upsert(node('n'));
    pods.upsert(large('a'));
    pods.upsert(large('b'));
    await clock.advance(10);
    expect(told).toContain('bind a to n');
    expect(told).toContain(`event FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu. ${NO_VICTIMS}`);
    expect(told).toContain(`Unschedulable: 0/1 nodes are available: 1 Insufficient cpu. ${NO_VICTIMS}`);
  });

  it('tries a refused pod again as soon as room is made, and not before', async () => {
    nodes.upsert(node('n'));
    pods.upsert(placed(large('a'), 'n'));
    pods.upsert(large('b'));
    await clock.advance(60_000);
    expect(told.filter((line) => line.startsWith('bind'))).toEqual([]);
    pods.remove('default/a');
    await clock.advance(10);
    expect(told.filter((line) => line.startsWith('bind'))).toEqual(['bind b to n']);
  });

  it('takes back what could not be bound, and tries again after a second', async () => {
    refuseBinding = true;
    nodes.upsert(node('n'));
    pods.upsert(large('a'));
    await clock.advance(10);
    expect(told.some((line) => line.startsWith('SchedulerError: binding rejected'))).toBe(true);
    refuseBinding = false;
    await clock.advance(900);
    expect(told.some((line) => line.startsWith('bind'))).toBe(false);
    await clock.advance(100);
    expect(told).toContain('bind a to n');
  });

  it('leaves gated pods, pods of others and pods that are going alone', async () => {
    nodes.upsert(node('n'));
    pods.upsert(pod('gated', { spec: { schedulingGates: [{ name: 'g' }] } }));
    pods.upsert(pod('foreign', { spec: { schedulerName: 'other' } }));
    pods.upsert({ ...pod('going'), metadata: { ...pod('going').metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    await clock.advance(1000);
    expect(told).toEqual([]);
    pods.upsert(pod('gated'));
    await clock.advance(10);
    expect(told).toContain('bind gated to n');
  });

  it('does not write the same reason twice', async () => {
    nodes.upsert(node('n', { allocatable: { cpu: '1' } }));
    pods.upsert(large('a'));
    await clock.advance(10);
    nodes.upsert(node('n', { allocatable: { cpu: '3', pods: '0' } }));
    nodes.upsert(node('n', { allocatable: { cpu: '2', pods: '0' } }));
    await clock.advance(20_000);
    expect(told.filter((line) => line.startsWith('Unschedulable'))).toHaveLength(2);
  });

  it('evicts a lesser pod, and takes its place when it has gone', async () => {
    nodes.upsert(node('n'));
    pods.upsert(placed(large('lesser'), 'n'));
    const vip: Pod = { ...large('vip'), spec: { containers: [], ...large('vip').spec, priority: 10 } };
    pods.upsert(vip);
    await clock.advance(10);
    expect(told).toContain('delete lesser');
    expect(told).toContain('event Preempted: Preempted by pod uid-vip on node n');
    expect(told).toContain('event FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.');
    expect(told.filter((line) => line.startsWith('bind'))).toEqual([]);
    pods.upsert({ ...vip, status: { nominatedNodeName: 'n' } });
    pods.remove('default/lesser');
    // Somebody else comes first, but the room was made for the important one.
    pods.upsert(large('quick'));
    await clock.advance(20);
    expect(told.filter((line) => line.startsWith('bind'))).toEqual(['bind vip to n']);
  });
});
