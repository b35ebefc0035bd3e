import { type Clock, pause } from '@wherry/daemon';

/**
 * Looks again every `everyMs` until `done` says true.
 * @returns false when the signal ended the wait
 */
export async function pollUntil(
  clock: Clock,
  everyMs: number,
  signal: AbortSignal,
  done: () => Promise<boolean>,
): Promise<boolean> {
  while (!(await done())) {
    if (!(await pause(clock, everyMs, signal))) return false;
  }
  return true;
}
