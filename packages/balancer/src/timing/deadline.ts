import type { Clock, Timer } from '@wherry/daemon';

/** A timer that fires so much too late says that this process stood still, not its peer. */
const LATE_MS_MAX = 100;

/**
 * Like `clock.setTimer`, but fair to the peer: after this process was paused or starved, its timers are due before it has
 * read what arrived meanwhile. Such a late firing only starts the time anew.
 */
export function setDeadline(clock: Clock, ms: number, onDue: () => void): Timer {
  const arm = (): Timer => {
    const dueMs = clock.monotonicMs() + ms;
    return clock.setTimer(ms, () => {
      if (clock.monotonicMs() - dueMs > LATE_MS_MAX) timer = arm();
      else onDue();
    });
  };
  let timer = arm();
  return { cancel: () => timer.cancel() };
}
