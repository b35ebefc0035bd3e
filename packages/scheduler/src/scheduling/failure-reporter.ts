import { getCondition, isNotFound, type Pod, type PodCondition, resources } from '@wherry/api';
import { type ApiClient, type EventRecorder, logPlan } from '@wherry/client';
import { type Clock, type Logger, rfc3339, type Scope } from '@wherry/daemon';
import type { PodInfo } from '../framework/pod-info.ts';
import { podReference } from './binder.ts';

/** Status writes under way at once. */
const WRITERS = 8;

export interface FailureReporterOptions {
  readonly client: ApiClient;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scope: Scope;
}

interface Report {
  readonly info: PodInfo;
  readonly condition: PodCondition;
  /** Refusing plugins, for the log. */
  readonly plugins: readonly string[];
  /** Undefined leaves it; '' clears it. */
  readonly nominatedNodeName: string | undefined;
}

/**
 * Tells the user why a pod has no node: an event and the condition PodScheduled. Of several reports on one pod that
 * wait, the last one counts, so what waits is bounded by the number of pods.
 */
export class FailureReporter {
  readonly #options: FailureReporterOptions;
  readonly #waiting = new Map<string, Report>();
  /** What each pod was told last, since the cache learns of it late. */
  readonly #told = new Map<string, string>();
  #writers = 0;

  constructor(options: FailureReporterOptions) {
    this.#options = options;
  }

  report(
    info: PodInfo,
    reason: 'Unschedulable' | 'SchedulerError',
    message: string,
    plugins: readonly string[],
    nominatedNodeName?: string,
  ): void {
    const { events, clock, scope } = this.#options;
    events.event(podReference({ info }), 'Warning', 'FailedScheduling', message);
    const now = rfc3339(clock.now());
    const known = getCondition(info.pod.status?.conditions, 'PodScheduled');
    const condition: PodCondition = {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      lastTransitionTime: known?.status === 'False' ? (known.lastTransitionTime ?? now) : now,
      ...(info.pod.metadata?.generation === undefined ? {} : { observedGeneration: info.pod.metadata.generation }),
    };
    this.#waiting.set(info.key, { info, condition, plugins, nominatedNodeName });
    if (this.#writers >= WRITERS) return;
    this.#writers++;
    scope.run('write pod conditions', (signal) => this.#write(signal));
  }

  /** The pod has a node or is gone. */
  forget(key: string): void {
    this.#waiting.delete(key);
    this.#told.delete(key);
  }

  async #write(signal: AbortSignal): Promise<void> {
    for (let next = this.#take(); next !== undefined && !signal.aborted; next = this.#take())
      await this.#tell(next, signal);
    this.#writers--;
  }

  #take(): Report | undefined {
    const first = this.#waiting.values().next().value;
    if (first !== undefined) this.#waiting.delete(first.info.key);
    return first;
  }

  async #tell(report: Report, signal: AbortSignal): Promise<void> {
    const { client, logger } = this.#options;
    const { info, condition, nominatedNodeName } = report;
    const text = `${info.uid} ${condition.reason} ${condition.message} ${nominatedNodeName ?? ''}`;
    if (this.#told.get(info.key) === text || (nominatedNodeName === undefined && says(info.pod, condition))) return;
    const status = { conditions: [condition], ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }) };
    try {
      const stored = await client.patch(
        resources.pods,
        info.pod.metadata?.name ?? '',
        { metadata: { uid: info.uid }, status },
        { namespace: info.namespace, subresource: 'status', type: 'strategic', signal },
      );
      this.#told.set(info.key, text);
      logPlan(logger, {
        controller: 'scheduler',
        key: info.key,
        inputs: [{ key: `pods/${info.key}`, resourceVersion: info.pod.metadata?.resourceVersion }],
        why: `refused by ${report.plugins.join(', ') || condition.reason}: ${condition.message}`,
        actions: [{ verb: 'patch', key: `pods/${info.key}`, resourceVersion: stored.metadata?.resourceVersion }],
      });
    } catch (error) {
      // The next attempt reports again; a pod that is gone needs nothing.
      if (!isNotFound(error) && !signal.aborted)
        logger.warn({ err: error, pod: info.key }, 'cannot write why a pod waits');
    }
  }
}

function says(pod: Pod, condition: PodCondition): boolean {
  const known = getCondition(pod.status?.conditions, 'PodScheduled');
  return known?.status === 'False' && known.reason === condition.reason && known.message === condition.message;
}
