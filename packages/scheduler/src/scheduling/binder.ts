import { type ApiObject, type Binding, type Resource, resources } from '@wherry/api';
import { type ApiClient, type EventRecorder, logPlan } from '@wherry/client';
import type { Clock, Logger } from '@wherry/daemon';
import type { Cluster } from '../cluster/cluster.ts';
import type { Attempt } from '../framework/cycle.ts';
import type { QueuedPod, SchedulingQueue } from '../queue/scheduling-queue.ts';
import type { FailureReporter } from './failure-reporter.ts';
import type { SchedulerMetrics } from './scheduler-metrics.ts';

type PlacedAttempt = Extract<Attempt, { kind: 'placed' }>;

export interface BinderOptions {
  readonly client: ApiClient;
  readonly cluster: Cluster;
  readonly queue: SchedulingQueue;
  readonly events: EventRecorder;
  readonly failures: FailureReporter;
  readonly metrics: SchedulerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells the API server where a pod goes. Several may be under way at once; the scheduler limits them. */
export class Binder {
  readonly #options: BinderOptions;

  constructor(options: BinderOptions) {
    this.#options = options;
  }

  /** Binds an assumed pod, or takes the assumption back and queues the pod again. Never throws. */
  async bind(queued: QueuedPod, attempt: PlacedAttempt, signal: AbortSignal): Promise<void> {
    const { cluster, queue, events, failures, metrics, clock } = this.#options;
    const { info } = queued;
    const { nodeName } = attempt;
    try {
      const answer = await this.#create(queued, nodeName, signal);
      this.#log(queued, attempt, answer.metadata?.resourceVersion);
    } catch (error) {
      cluster.forget(info);
      if (signal.aborted) return;
      queue.failed(queued, clock.monotonicMs());
      metrics.attempted('error', 0);
      failures.report(
        info,
        'SchedulerError',
        `binding rejected: ${error instanceof Error ? error.message : String(error)}`,
        [],
      );
      return;
    }
    queue.placed(queued);
    metrics.bound(clock.monotonicMs() - queued.addedMs, queued.attempts);
    events.event(podReference(queued), 'Normal', 'Scheduled', `Successfully assigned ${info.key} to ${nodeName}`);
  }

  #create(queued: QueuedPod, nodeName: string, signal: AbortSignal): Promise<ApiObject> {
    const { namespace, uid, pod } = queued.info;
    const name = pod.metadata?.name ?? '';
    const binding: Binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace, uid },
      target: { kind: 'Node', name: nodeName },
    };
    const pods: Resource = resources.pods;
    return this.#options.client.create(pods, binding, { namespace, name, subresource: 'binding', signal });
  }

  #log(queued: QueuedPod, attempt: PlacedAttempt, resourceVersion: string | undefined): void {
    const { cluster, logger } = this.#options;
    const { info } = queued;
    logPlan(logger, {
      controller: 'scheduler',
      key: info.key,
      inputs: [
        { key: `pods/${info.key}`, resourceVersion: info.pod.metadata?.resourceVersion },
        {
          key: `nodes/${attempt.nodeName}`,
          resourceVersion: cluster.table.nodes[attempt.row]?.metadata?.resourceVersion,
        },
      ],
      why: `${attempt.nodeName} scores ${attempt.score}, best of ${attempt.feasible} nodes that fit, ${attempt.evaluated} looked at`,
      actions: [{ verb: 'bind', key: `pods/${info.key}`, resourceVersion }],
    });
  }
}

export function podReference({ info }: Pick<QueuedPod, 'info'>) {
  return { apiVersion: 'v1', kind: 'Pod', metadata: info.pod.metadata ?? {} };
}
