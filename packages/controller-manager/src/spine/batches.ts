export interface BatchResult {
  readonly succeeded: number;
  /** The first failure; what came after its batch was not tried. */
  readonly failure: unknown;
  readonly failed: boolean;
}

/**
 * Calls `act` for 0 … count-1 in batches of 1, 2, 4, …: where the first fails (a quota, a broken template), the
 * other hundreds need not be tried.
 */
export async function slowStart(count: number, act: (index: number) => Promise<void>): Promise<BatchResult> {
  let done = 0;
  let succeeded = 0;
  for (let size = 1; done < count; size *= 2) {
    const batch = Array.from({ length: Math.min(size, count - done) }, (_, offset) => act(done + offset));
    const results = await Promise.allSettled(batch);
    done += batch.length;
    succeeded += results.filter((result) => result.status === 'fulfilled').length;
    const failure = results.find((result) => result.status === 'rejected');
    if (failure !== undefined) return { succeeded, failure: failure.reason, failed: true };
  }
  return { succeeded, failure: undefined, failed: false };
}

/** All at once; resolves when all have ended, and throws the first failure then. */
export async function allSettled(actions: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(actions);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
