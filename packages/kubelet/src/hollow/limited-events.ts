// Events of all hollow nodes share one budget: a thousand pods that start in a second would otherwise cost the API
// server more events than anything else. What is too much is dropped and counted.
import type { Clock, Metrics } from '@wherry/daemon';
import type { EventSink } from '../pods/pod-events.ts';

export interface EventBudget {
  /** 0: none at all. */
  readonly perSecond: number;
  readonly burst: number;
}

export class LimitedEvents {
  readonly #budget: EventBudget;
  readonly #clock: Clock;
  readonly #dropped: ReturnType<Metrics['counter']>;
  #tokens: number;
  #atMs: number;

  constructor(budget: EventBudget, clock: Clock, metrics: Metrics) {
    this.#budget = budget;
    this.#clock = clock;
    this.#dropped = metrics.counter('hollow_dropped_events_total', 'Events that were more than the budget allows');
    this.#tokens = budget.burst;
    this.#atMs = clock.monotonicMs();
  }

  limit(send: EventSink['event']): EventSink['event'] {
    return (...event) => {
      if (this.#take()) send(...event);
      else this.#dropped.inc();
    };
  }

  #take(): boolean {
    const { perSecond, burst } = this.#budget;
    if (perSecond === 0) return false;
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * perSecond);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
