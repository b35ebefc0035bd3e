import type { ChangeEvent } from './event.ts';

/** Changes of one resource that late or slow watchers can still catch up from. */
export const HISTORY_EVENTS_MAX = 10_000;
export const HISTORY_BYTES_MAX = 64 * 1024 * 1024;
/** Events whose encoded frames are kept: what most watchers still have to send. Others can be encoded again. */
const FRAMES_KEPT = 256;
/** Forgotten events are dropped from the array in steps, because each drop moves the rest. */
const TRIM_STEP = 512;

/**
 * A resource's recent past: an array with a moving base, so that a position stays valid while old events go.
 * Positions count all events ever appended.
 */
export class History {
  #events: ChangeEvent[] = [];
  #base = 0;
  #bytes = 0;
  /** Events at or below this revision are gone, or were never here. */
  #forgottenRevision: number;

  constructor(startRevision: number) {
    this.#forgottenRevision = startRevision;
  }

  append(event: ChangeEvent): void {
    this.#events.push(event);
    this.#bytes += event.sizeBytes;
    this.#events[this.#events.length - 1 - FRAMES_KEPT]?.dropFrames();
    if (
      this.#events.length > HISTORY_EVENTS_MAX + TRIM_STEP ||
      (this.#bytes > HISTORY_BYTES_MAX && this.#events.length > 1)
    ) {
      this.#trim();
    }
  }

  #trim(): void {
    let drop = 0;
    let bytes = this.#bytes;
    while (
      this.#events.length - drop > HISTORY_EVENTS_MAX ||
      (bytes > HISTORY_BYTES_MAX * 0.9 && this.#events.length - drop > 1)
    ) {
      bytes -= this.#events[drop]?.sizeBytes ?? 0;
      drop += 1;
    }
    this.#forgottenRevision = this.#events[drop - 1]?.revision ?? this.#forgottenRevision;
    this.#events = this.#events.slice(drop);
    this.#base += drop;
    this.#bytes = bytes;
  }

  /** Position just after the newest event. */
  get end(): number {
    return this.#base + this.#events.length;
  }

  get oldestRevision(): number {
    return this.#forgottenRevision;
  }

  /** The event at a position; undefined when it was forgotten. */
  at(position: number): ChangeEvent | undefined {
    return this.#events[position - this.#base];
  }

  /** Position of the first event after `revision`; undefined when some of those were forgotten. */
  positionAfter(revision: number): number | undefined {
    if (revision < this.#forgottenRevision) {
      return undefined;
    }
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.revision ?? 0) <= revision) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return this.#base + low;
  }
}
