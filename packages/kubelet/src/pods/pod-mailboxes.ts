// One mailbox for each pod: a wake is a note that it has to be looked at. A pod that is being looked at is looked at
// again afterwards, never twice at once. Nothing is kept of a pod at rest: a process may have many thousands.
import type { Clock, Logger, Scope, Timer } from '@wherry/daemon';

export interface PodMailboxesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scope: Scope;
  /** Pods that are looked at at once; more wait in order. */
  readonly atOnceMax: number;
  /** Throws to be called again after a back-off. @returns milliseconds until the next look; undefined or Infinity: when woken */
  readonly look: (podUid: string, signal: AbortSignal) => Promise<number | undefined>;
}

interface Mailbox {
  state: 'rests' | 'waits' | 'is looked at';
  /** Woken while it was looked at. */
  again: boolean;
  failures: number;
  timer: Timer | undefined;
}

const backoffMsMin = 500;
const backoffMsMax = 10_000;

export class PodMailboxes {
  readonly #options: PodMailboxesOptions;
  readonly #boxes = new Map<string, Mailbox>();
  readonly #waiting = new Set<string>();
  #lookedAt = 0;
  #started = false;

  constructor(options: PodMailboxesOptions) {
    this.#options = options;
    options.scope.signal.addEventListener('abort', () => this.#stop(), { once: true });
  }

  /** Begins with the pods that were woken so far. */
  start(): void {
    this.#started = true;
    this.#next();
  }

  wake(podUid: string): void {
    if (this.#options.scope.signal.aborted) return;
    const box = this.#boxes.get(podUid) ?? { state: 'rests', again: false, failures: 0, timer: undefined };
    this.#boxes.set(podUid, box);
    if (box.state === 'is looked at') box.again = true;
    if (box.state !== 'rests') return;
    box.state = 'waits';
    this.#waiting.add(podUid);
    this.#next();
  }

  #next(): void {
    if (!this.#started) return;
    for (const uid of this.#waiting) {
      if (this.#lookedAt >= this.#options.atOnceMax) return;
      this.#waiting.delete(uid);
      const box = this.#boxes.get(uid);
      if (box === undefined) continue;
      this.#lookedAt++;
      box.state = 'is looked at';
      // Whatever the look decides counts from then on.
      box.timer?.cancel();
      box.timer = undefined;
      this.#options.scope.run('look at a pod', (signal) => this.#look(uid, box, signal));
    }
  }

  async #look(uid: string, box: Mailbox, signal: AbortSignal): Promise<void> {
    let afterMs: number | undefined;
    try {
      // Whoever woke it goes on first: it may be in the middle of a change.
      await Promise.resolve();
      afterMs = await this.#options.look(uid, signal);
      box.failures = 0;
    } catch (error) {
      afterMs = Math.min(backoffMsMin * 2 ** box.failures, backoffMsMax);
      box.failures++;
      if (!signal.aborted)
        this.#options.logger.warn({ podUid: uid, err: error, waitMs: afterMs }, 'looking at a pod failed, will retry');
    } finally {
      this.#lookedAt--;
      box.state = 'rests';
      this.#after(uid, box, afterMs);
      this.#next();
    }
  }

  #after(uid: string, box: Mailbox, afterMs: number | undefined): void {
    if (this.#options.scope.signal.aborted) return;
    const soon = box.again || (afterMs !== undefined && afterMs <= 0);
    box.again = false;
    if (soon) {
      this.wake(uid);
      return;
    }
    if (afterMs !== undefined && Number.isFinite(afterMs)) {
      box.timer = this.#options.clock.setTimer(afterMs, () => {
        box.timer = undefined;
        this.wake(uid);
      });
    } else if (box.failures === 0) this.#boxes.delete(uid);
  }

  #stop(): void {
    for (const { timer } of this.#boxes.values()) timer?.cancel();
    this.#boxes.clear();
    this.#waiting.clear();
  }
}
