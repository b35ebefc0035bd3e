import { compileLabelSelector, isNotFound, type PodDisruptionBudget, resources } from '@wherry/api';
import { type ApiClient, type EventRecorder, type Informer, logPlan } from '@wherry/client';
import { type Clock, type Logger, type Random, rfc3339, type Scope } from '@wherry/daemon';
import type { Cluster } from '../cluster/cluster.ts';
import type { Attempt } from '../framework/cycle.ts';
import type { FilterPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { type Budget, type Preemption, planPreemption } from '../framework/preemption.ts';
import type { SchedulingQueue } from '../queue/scheduling-queue.ts';
import { podReference } from './binder.ts';

export interface PreemptorOptions {
  readonly client: ApiClient;
  readonly cluster: Cluster;
  readonly queue: SchedulingQueue;
  readonly filters: readonly FilterPlugin[];
  readonly budgets: Informer<PodDisruptionBudget>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly scope: Scope;
}

/** Makes room for important pods. */
export class Preemptor {
  readonly #options: PreemptorOptions;

  constructor(options: PreemptorOptions) {
    this.#options = options;
  }

  /** Decides at once; evictions follow in the background, and the events they cause bring the pod back. */
  preempt(pod: PodInfo, refused: Extract<Attempt, { kind: 'refused' }>): Preemption {
    const { cluster, filters, random, scope } = this.#options;
    const plan = planPreemption({
      pod,
      refused,
      view: cluster,
      filters,
      budgets: this.#budgets(),
      startOf: (count) => random.integer(count),
    });
    if (plan.kind === 'none') return plan;
    cluster.nominations.set(pod, plan.nodeName);
    scope.run('preempt', (signal) => this.#evict(pod, plan, signal));
    return plan;
  }

  async #evict(pod: PodInfo, plan: Extract<Preemption, { kind: 'evict' }>, signal: AbortSignal): Promise<void> {
    const { queue, cluster, clock, logger } = this.#options;
    const evicted: PodInfo[] = [];
    try {
      // Those that counted on this room first: it is no longer theirs.
      for (const lesser of cluster.nominations.lesserAt(plan.nodeName, pod.priority))
        await this.#unnominate(lesser, signal);
      for (const victim of plan.victims)
        if (await this.#evictOne(pod, victim, plan.nodeName, signal)) evicted.push(victim);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ err: error, pod: pod.key, node: plan.nodeName }, 'cannot make room for a pod, it is tried again');
      cluster.nominations.delete(pod.key);
      queue.retry(pod.key, clock.monotonicMs());
    }
    logPlan(logger, {
      controller: 'scheduler',
      key: pod.key,
      inputs: [pod, ...plan.victims].map(({ key, pod: { metadata } }) => {
        return { key: `pods/${key}`, resourceVersion: metadata?.resourceVersion };
      }),
      why: `priority ${pod.priority} needs room on ${plan.nodeName}, where ${plan.victims.length} pods matter less`,
      actions: evicted.map(({ key }) => ({ verb: 'delete', key: `pods/${key}` })),
    });
  }

  async #evictOne(pod: PodInfo, victim: PodInfo, nodeName: string, signal: AbortSignal): Promise<boolean> {
    const { client, events, clock } = this.#options;
    if (victim.terminating) return false;
    const { namespace, uid } = victim;
    const name = victim.pod.metadata?.name ?? '';
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: 'default-scheduler: preempting to accommodate a higher priority pod',
      lastTransitionTime: rfc3339(clock.now()),
    };
    const patch = { metadata: { uid }, status: { conditions: [condition] } };
    try {
      await client.patch(resources.pods, name, patch, { namespace, subresource: 'status', type: 'strategic', signal });
      await client.delete(resources.pods, name, { namespace, preconditions: { uid }, signal });
    } catch (error) {
      // Gone by itself: the room is there.
      if (isNotFound(error)) return false;
      throw error;
    }
    const message = `Preempted by pod ${pod.uid} on node ${nodeName}`;
    events.event(podReference({ info: victim }), 'Normal', 'Preempted', message);
    return true;
  }

  async #unnominate(pod: PodInfo, signal: AbortSignal): Promise<void> {
    const { client, cluster } = this.#options;
    cluster.nominations.delete(pod.key);
    const patch = { metadata: { uid: pod.uid }, status: { nominatedNodeName: '' } };
    const name = pod.pod.metadata?.name ?? '';
    try {
      await client.patch(resources.pods, name, patch, { namespace: pod.namespace, subresource: 'status', signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #budgets(): readonly Budget[] {
    return this.#options.budgets.list().map(({ metadata, spec, status }) => ({
      namespace: metadata?.namespace ?? '',
      filter: compileLabelSelector(spec?.selector),
      disruptionsAllowed: status?.disruptionsAllowed ?? 0,
      disrupted: new Set(Object.keys(status?.disruptedPods ?? {})),
    }));
  }
}
