import type { Clock } from '@wherry/daemon';

/** The work took longer than it was given. */
export class DeadlineExceeded extends Error {
  constructor(timeoutMs: number) {
    super(`not done within ${timeoutMs} ms`);
    this.name = 'DeadlineExceeded';
  }
}

/**
 * Runs work with a signal that aborts after `timeoutMs`, or with the outer signal.
 * @throws DeadlineExceeded when the time was up, whatever the work made of the abort
 */
export async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort(outer?.reason);
  outer?.addEventListener('abort', stop, { once: true });
  const timer = clock.setTimer(timeoutMs, () => controller.abort(new DeadlineExceeded(timeoutMs)));
  try {
    return await work(controller.signal);
  } catch (error) {
    const { reason } = controller.signal;
    throw reason instanceof DeadlineExceeded ? reason : error;
  } finally {
    timer.cancel();
    outer?.removeEventListener('abort', stop);
  }
}
