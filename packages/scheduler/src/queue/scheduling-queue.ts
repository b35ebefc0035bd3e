import type { ClusterEvent, FilterPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { Heap } from './heap.ts';

export interface QueueLimits {
  /** Wait after the first failed attempt, doubled with each further one. @default 1000 */
  readonly backoffMsMin: number;
  /** @default 10,000 */
  readonly backoffMsMax: number;
  /** A refused pod that nothing has helped is tried again after this long. @default 300,000 */
  readonly unschedulableMsMax: number;
}

export const QUEUE_LIMITS: QueueLimits = { backoffMsMin: 1_000, backoffMsMax: 10_000, unschedulableMsMax: 300_000 };

/** Where a pod is. `backoff`: it will be tried after its wait; `unschedulable`: after an event that may help it. */
export type Place = 'active' | 'backoff' | 'unschedulable' | 'in-flight';

export interface QueuedPod {
  info: PodInfo;
  place: Place;
  attempts: number;
  /** Attempts that ended with a refusal in a row with failures; sets the back-off. */
  failures: number;
  readonly addedMs: number;
  /** Since when it waits in its place. */
  sinceMs: number;
  backoffUntilMs: number;
  refusedBy: ReadonlySet<string>;
}

/** Pods that wait for a node. Its size is bounded by the number of pending pods. All times are given by the caller. */
export class SchedulingQueue {
  readonly #limits: QueueLimits;
  readonly #filters: ReadonlyMap<string, FilterPlugin>;
  readonly #pods = new Map<string, QueuedPod>();
  /** Upstream's PrioritySort: priority, then who came first. */
  readonly #active = new Heap<QueuedPod>((a, b) =>
    a.info.priority === b.info.priority ? a.sinceMs < b.sinceMs : a.info.priority > b.info.priority,
  );
  /** Refused pods that something may have helped. */
  readonly #helped = new Heap<QueuedPod>(waitsLess);
  /** Pods whose attempt broke off: trying again at once would only meet the same trouble. */
  readonly #broken = new Heap<QueuedPod>(waitsLess);
  readonly #unschedulable = new Set<QueuedPod>();

  constructor(filters: readonly FilterPlugin[], limits: QueueLimits = QUEUE_LIMITS) {
    this.#limits = limits;
    this.#filters = new Map(filters.map((filter) => [filter.name, filter]));
  }

  /** A pending pod has appeared. */
  add(info: PodInfo, nowMs: number): void {
    const queued: QueuedPod = {
      info,
      place: 'active',
      attempts: 0,
      failures: 0,
      addedMs: nowMs,
      sinceMs: nowMs,
      backoffUntilMs: nowMs,
      refusedBy: new Set(),
    };
    this.remove(info.key);
    this.#pods.set(info.key, queued);
    this.#active.push(queued);
  }

  /** A pending pod has changed; one that was refused is tried again if what it asks for has. */
  update(info: PodInfo, nowMs: number): void {
    const queued = this.#pods.get(info.key);
    if (queued === undefined || queued.info.uid !== info.uid) {
      this.add(info, nowMs);
      return;
    }
    const asksAnew = asks(queued.info) !== asks(info);
    // Its place in the heap depends on the priority.
    const isActive = this.#active.delete(queued);
    queued.info = info;
    if (isActive) this.#active.push(queued);
    else if (asksAnew) this.#help(queued, nowMs);
  }

  remove(key: string): void {
    const queued = this.#pods.get(key);
    if (queued === undefined) return;
    this.#leave(queued);
    this.#pods.delete(key);
  }

  /**
   * The next pod to try; it is in flight until `placed`, `refused` or `failed`. When no other pod is ready, one that
   * an event may have helped does not wait out its back-off (as upstream since 1.33).
   */
  pop(nowMs: number): QueuedPod | undefined {
    this.tick(nowMs);
    const queued = this.#active.pop() ?? this.#helped.pop();
    if (queued === undefined) return undefined;
    queued.place = 'in-flight';
    queued.attempts++;
    return queued;
  }

  /** The pod has got a node. */
  placed(queued: QueuedPod): void {
    if (this.#pods.get(queued.info.key) === queued) this.#pods.delete(queued.info.key);
  }

  /** No node takes the pod; these plugins were in its way. */
  refused(queued: QueuedPod, plugins: ReadonlySet<string>, nowMs: number): void {
    if (!this.#failed(queued, nowMs)) return;
    queued.refusedBy = plugins;
    queued.place = 'unschedulable';
    this.#unschedulable.add(queued);
  }

  /** The attempt broke off, for example because the pod could not be bound. */
  failed(queued: QueuedPod, nowMs: number): void {
    if (!this.#failed(queued, nowMs)) return;
    queued.place = 'backoff';
    this.#broken.push(queued);
  }

  /** Something has happened: refused pods that it may help are tried again. @returns how many */
  onEvent(event: ClusterEvent, nowMs: number): number {
    let moved = 0;
    for (const queued of this.#unschedulable) {
      if (!this.#mayHelp(event, queued)) continue;
      this.#help(queued, nowMs);
      moved++;
    }
    return moved;
  }

  /** A refused pod is to be tried again, whatever happens meanwhile. */
  retry(key: string, nowMs: number): void {
    const queued = this.#pods.get(key);
    if (queued !== undefined) this.#help(queued, nowMs);
  }

  /** Moves what has waited long enough. */
  tick(nowMs: number): void {
    for (const heap of [this.#helped, this.#broken]) {
      for (let first = heap.peek(); first !== undefined && first.backoffUntilMs <= nowMs; first = heap.peek()) {
        heap.delete(first);
        this.#activate(first, nowMs);
      }
    }
    // In the order of their refusal, so the first that is too young ends the search.
    for (const queued of this.#unschedulable) {
      if (nowMs - queued.sinceMs < this.#limits.unschedulableMsMax) break;
      this.#help(queued, nowMs);
    }
  }

  /** When `tick` will next move a pod; undefined when only events can. */
  get nextMoveMs(): number | undefined {
    const oldest = this.#unschedulable.values().next().value;
    const times = [
      this.#helped.peek()?.backoffUntilMs,
      this.#broken.peek()?.backoffUntilMs,
      oldest === undefined ? undefined : oldest.sinceMs + this.#limits.unschedulableMsMax,
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  get sizes(): Readonly<Record<'active' | 'backoff' | 'unschedulable', number>> {
    const backoff = this.#helped.size + this.#broken.size;
    return { active: this.#active.size, backoff, unschedulable: this.#unschedulable.size };
  }

  /** @returns false when the pod has gone or been replaced meanwhile */
  #failed(queued: QueuedPod, nowMs: number): boolean {
    if (this.#pods.get(queued.info.key) !== queued) return false;
    queued.failures++;
    const { backoffMsMin, backoffMsMax } = this.#limits;
    queued.sinceMs = nowMs;
    queued.backoffUntilMs = nowMs + Math.min(backoffMsMin * 2 ** Math.min(queued.failures - 1, 30), backoffMsMax);
    return true;
  }

  #mayHelp(event: ClusterEvent, queued: QueuedPod): boolean {
    // Refused by nobody in particular (there were no nodes): anything may help.
    if (queued.refusedBy.size === 0) return true;
    for (const name of queued.refusedBy) if (this.#filters.get(name)?.mayHelp(event, queued.info) === true) return true;
    return false;
  }

  #help(queued: QueuedPod, nowMs: number): void {
    if (queued.place !== 'unschedulable') return;
    this.#unschedulable.delete(queued);
    if (queued.backoffUntilMs <= nowMs) {
      this.#activate(queued, nowMs);
      return;
    }
    queued.place = 'backoff';
    this.#helped.push(queued);
  }

  #activate(queued: QueuedPod, nowMs: number): void {
    queued.place = 'active';
    queued.sinceMs = nowMs;
    this.#active.push(queued);
  }

  #leave(queued: QueuedPod): void {
    this.#active.delete(queued);
    this.#helped.delete(queued);
    this.#broken.delete(queued);
    this.#unschedulable.delete(queued);
  }
}

function waitsLess(a: QueuedPod, b: QueuedPod): boolean {
  return a.backoffUntilMs < b.backoffUntilMs;
}

/** What decides whether another attempt could end differently. */
function asks({ pod, labels }: PodInfo): string {
  const { spec } = pod;
  return JSON.stringify([spec, labels]);
}
