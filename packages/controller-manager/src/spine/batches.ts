/** Requests one controller key has under way at once: each holds a connection of its own. */
const PARALLEL_MAX = 32;

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
    const first = done;
    const indexes = Array.from({ length: Math.min(size, count - done) }, (_, offset) => first + offset);
    const results = await settleEach(indexes, act);
    done += indexes.length;
    succeeded += results.filter((result) => result.status === 'fulfilled').length;
    const failure = results.find((result) => result.status === 'rejected');
    if (failure !== undefined) return { succeeded, failure: failure.reason, failed: true };
  }
  return { succeeded, failure: undefined, failed: false };
}

/** Acts on all items, some at a time; resolves when all have ended, and throws the first failure then. */
export async function actOnEach<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const failure = (await settleEach(items, act)).find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

async function settleEach<T>(
  items: readonly T[],
  act: (item: T) => Promise<unknown>,
): Promise<readonly PromiseSettledResult<unknown>[]> {
  const results: PromiseSettledResult<unknown>[] = [];
  const left = items.values();
  const lane = async (): Promise<void> => {
    for (const item of left) {
      try {
        results.push({ status: 'fulfilled', value: await act(item) });
      } catch (reason) {
        results.push({ status: 'rejected', reason });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL_MAX, items.length) }, lane));
  return results;
}
