import { type Clock, type Logger, pause, type Scope } from '@wherry/daemon';
import type { Cluster } from '../cluster/cluster.ts';
import type { Attempt, SchedulingCycle } from '../framework/cycle.ts';
import { fitErrorMessage } from '../framework/fit-error.ts';
import type { Profile } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import type { Preemption } from '../framework/preemption.ts';
import type { QueuedPod, SchedulingQueue } from '../queue/scheduling-queue.ts';
import type { Binder } from './binder.ts';
import type { FailureReporter } from './failure-reporter.ts';
import type { Preemptor } from './preemptor.ts';
import type { SchedulerMetrics } from './scheduler-metrics.ts';

/** Bindings under way at once. More pods wait in the queue, where priorities still count. */
const BINDINGS_MAX = 128;
/** After this long the loop lets answers and watch events in: decisions must not rest on an old picture. */
const SLICE_MS_MAX = 8;

export interface SchedulerOptions {
  readonly cluster: Cluster;
  readonly queue: SchedulingQueue;
  readonly cycle: SchedulingCycle;
  readonly binder: Binder;
  readonly failures: FailureReporter;
  readonly preemptor: Preemptor;
  readonly profile: Profile;
  readonly metrics: SchedulerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Takes pods from the queue one at a time, decides at once, and binds in the background. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  #bindings = 0;
  #wake: () => void = () => undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Something may have become ready. */
  wake(): void {
    this.#wake();
  }

  async run(scope: Scope): Promise<void> {
    const { signal } = scope;
    const { clock } = this.#options;
    while (!signal.aborted) {
      const sliceEndMs = clock.monotonicMs() + SLICE_MS_MAX;
      let isMore = true;
      while (isMore && clock.monotonicMs() < sliceEndMs && this.#bindings < BINDINGS_MAX)
        isMore = this.#scheduleOne(scope);
      if (isMore && this.#bindings < BINDINGS_MAX) await pause(clock, 0, signal);
      else await this.#idle(signal);
    }
  }

  /** @returns false when no pod is ready */
  #scheduleOne(scope: Scope): boolean {
    const { queue, cycle, cluster, clock, metrics, binder } = this.#options;
    const startMs = clock.monotonicMs();
    const queued = queue.pop(startMs);
    metrics.queued(queue.sizes);
    if (queued === undefined) return false;
    if (cluster.isPlaced(queued.info)) {
      queue.placed(queued);
      return true;
    }
    const { filters } = this.#options.profile;
    const attempt = cycle.attempt(queued.info, cluster, (prepared, row) =>
      cluster.nominations.check(queued.info, row, prepared, filters, cluster),
    );
    const durationMs = clock.monotonicMs() - startMs;
    if (attempt.kind === 'refused') {
      metrics.attempted('unschedulable', durationMs);
      this.#refuse(queued, attempt);
      return true;
    }
    metrics.attempted('scheduled', durationMs);
    cluster.assume(queued.info, attempt.nodeName);
    this.#bindings++;
    scope.run('bind', async (signal) => {
      await binder.bind(queued, attempt, signal);
      this.#bindings--;
      this.wake();
    });
    return true;
  }

  #refuse(queued: QueuedPod, attempt: Extract<Attempt, { kind: 'refused' }>): void {
    const { queue, failures, preemptor, clock } = this.#options;
    const { info } = queued;
    queue.refused(queued, attempt.plugins, clock.monotonicMs());
    const preemption = preemptor.preempt(info, attempt);
    const message = fitErrorMessage(attempt, preemption.kind === 'none' ? preemption.message : undefined);
    failures.report(info, 'Unschedulable', message, [...attempt.plugins], nominationOf(info, preemption));
  }

  /** Waits for something to do: an event, a finished binding, or the end of a back-off. */
  async #idle(signal: AbortSignal): Promise<void> {
    const { queue, clock } = this.#options;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const nextMs = queue.nextMoveMs;
    const waitMs = nextMs === undefined ? Number.MAX_SAFE_INTEGER : Math.max(0, nextMs - clock.monotonicMs());
    const both = AbortSignal.any([signal, woken.signal]);
    // Node's timers end at 2^31 ms; waking once in ten minutes for nothing costs nothing.
    await pause(clock, Math.min(waitMs, 600_000), both);
    this.#wake = () => undefined;
  }
}

/** What the pod's nomination becomes: undefined leaves it, '' takes away one that has not helped. */
function nominationOf({ pod }: PodInfo, preemption: Preemption): string | undefined {
  if (preemption.kind === 'evict') return preemption.nodeName;
  const hasOne = (pod.status?.nominatedNodeName ?? '') !== '';
  return hasOne && preemption.isEligible ? '' : undefined;
}
