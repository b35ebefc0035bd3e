import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Tries `attempt` until it passes (does not throw), at most `timeoutMs`; fails with the last failure.
 * For what a user would wait for too; never for hiding a race in the product.
 */
export async function eventually<T>(
  what: string,
  attempt: () => T | Promise<T>,
  { timeoutMs = 60_000, everyMs = 250 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      if (Date.now() > deadlineMs) {
        const last = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`${what}: not within ${timeoutMs} ms; last: ${last}`, { cause });
      }
      await sleep(everyMs);
    }
  }
}

/** Holds `check` true for `durationMs`: fails at once when it throws. */
export async function holds(check: () => void | Promise<void>, durationMs: number, everyMs = 500): Promise<void> {
  const endMs = Date.now() + durationMs;
  while (Date.now() < endMs) {
    await check();
    await sleep(everyMs);
  }
}
