import { resources } from '@wherry/api';
import type { ApiClient, EventRecorder, InformerFactory } from '@wherry/client';
import type { Clock, Logger, Metrics, Random, Scope } from '@wherry/daemon';
import { Cluster } from './cluster/cluster.ts';
import { projectNode, projectPod, projectService, projectWorkload } from './cluster/projections.ts';
import { BY_NAMESPACE, workloadSelector } from './cluster/workload-selectors.ts';
import { SchedulingCycle } from './framework/cycle.ts';
import { defaultProfile } from './plugins/default-profile.ts';
import { SchedulingQueue } from './queue/scheduling-queue.ts';
import { Binder } from './scheduling/binder.ts';
import { FailureReporter } from './scheduling/failure-reporter.ts';
import { Preemptor } from './scheduling/preemptor.ts';
import { Scheduler } from './scheduling/scheduler.ts';
import { createSchedulerMetrics } from './scheduling/scheduler-metrics.ts';

const SCHEDULER_NAME = 'default-scheduler';

/** Finished pods take no room on a node; the server need not send them. */
const UNFINISHED = 'status.phase!=Succeeded,status.phase!=Failed';

export interface SchedulingOptions {
  readonly client: ApiClient;
  readonly informers: InformerFactory;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scope: Scope;
}

export interface Scheduling {
  hasSynced(): boolean;
  /** Starts to place pods once the caches are complete. */
  lead(): void;
}

/** Joins caches, queue, framework and binder. The caches fill at once, so that a standby takes over without a pause. */
export function startScheduling(options: SchedulingOptions): Scheduling {
  const { client, informers, events, clock, random, logger, scope } = options;
  const metrics = createSchedulerMetrics(options.metrics, SCHEDULER_NAME);
  const namespaced = {
    [BY_NAMESPACE]: (object: { metadata?: { namespace?: string } }) => [object.metadata?.namespace ?? ''],
  };
  const pods = informers.informer(resources.pods, { fieldSelector: UNFINISHED, project: projectPod });
  const nodes = informers.informer(resources.nodes, { project: projectNode });
  const namespaces = informers.informer(resources.namespaces);
  const workloads = {
    services: informers.informer(resources.services, { project: projectService, indexers: namespaced }),
    replicaSets: informers.informer(resources.replicasets, { project: projectWorkload }),
    statefulSets: informers.informer(resources.statefulsets, { project: projectWorkload }),
    replicationControllers: informers.informer(resources.replicationcontrollers, { project: projectWorkload }),
  };
  const budgets = informers.informer(resources.poddisruptionbudgets);
  const all = [pods, nodes, namespaces, budgets, ...Object.values(workloads)];

  const queue = new SchedulingQueue(defaultProfile.filters);
  const failures = new FailureReporter({ client, events, clock, logger, scope });
  const cluster = new Cluster({
    queue,
    surroundings: {
      namespaceLabels: (namespace) => namespaces.get(namespace)?.metadata?.labels,
      workloadSelector: (pod) => workloadSelector(pod, workloads),
    },
    schedulerName: SCHEDULER_NAME,
    clock,
    logger,
    wake: () => scheduler.wake(),
    settled: (key) => failures.forget(key),
  });
  const binder = new Binder({ client, cluster, queue, events, failures, metrics, clock, logger });
  const { filters } = defaultProfile;
  const preemptor = new Preemptor({ client, cluster, queue, filters, budgets, events, clock, random, logger, scope });
  const cycle = new SchedulingCycle(defaultProfile, (count) => random.integer(count));
  const scheduler = new Scheduler({
    cluster,
    queue,
    cycle,
    profile: defaultProfile,
    binder,
    failures,
    preemptor,
    metrics,
    clock,
    logger,
  });
  nodes.onChange((change) => cluster.onNode(change));
  pods.onChange((change) => cluster.onPod(change));
  namespaces.onChange(({ kind }) => {
    if (kind === 'updated') cluster.table.counts.forgetNamespaces();
  });
  metrics.leading(false);

  return {
    hasSynced: () => all.every((informer) => informer.hasSynced),
    lead() {
      metrics.leading(true);
      scope.run('schedule', async (signal) => {
        await Promise.all(all.map((informer) => informer.synced(signal)));
        await scheduler.run(scope);
      });
    },
  };
}
