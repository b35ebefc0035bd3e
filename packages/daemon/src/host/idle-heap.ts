import { performance } from 'node:perf_hooks';

/** Between looks: until the first collection, which frees what the start needed, and after it. */
const LOOK_MS_FIRST = 5_000;
const LOOK_MS = 60_000;
/** Part of the time that the event loop may have been busy since the last look. */
const BUSY_RATIO_MAX = 0.05;
/** Less garbage than this is not worth a collection. */
const GARBAGE_BYTES_MIN = 2 << 20;
/** A full collection of a heap of this size stops the process for about 30 ms; larger ones are left to the engine. */
const HEAP_BYTES_MAX = 48 << 20;

/** V8's collector, which exists with --expose-gc. */
type Collect = (options: {
  readonly type: 'major';
  readonly execution: 'sync';
  readonly flavor: 'last-resort';
}) => void;

/**
 * Collects garbage while there is nothing else to do. V8 collects when much was allocated, which in an idle daemon is
 * hours later, if ever: what it needed to start, a fifth of its memory, would stay.
 */
export function collectWhenIdle(collect: Collect | undefined = globalThis.gc as Collect | undefined): void {
  if (collect === undefined) return;
  let before = performance.eventLoopUtilization();
  let keptBytes = 0;
  const look = (): void => {
    collectIfWorthIt();
    setTimeout(look, keptBytes === 0 ? LOOK_MS_FIRST : LOOK_MS).unref();
  };
  const collectIfWorthIt = (): void => {
    const busy = performance.eventLoopUtilization(before).utilization;
    before = performance.eventLoopUtilization();
    const { heapUsed } = process.memoryUsage();
    if (busy > BUSY_RATIO_MAX || heapUsed > HEAP_BYTES_MAX || heapUsed < keptBytes + GARBAGE_BYTES_MIN) return;
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    keptBytes = process.memoryUsage().heapUsed;
  };
  setTimeout(look, LOOK_MS_FIRST).unref();
}
