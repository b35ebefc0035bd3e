/**
 * Like Promise.all, but waits for all even when one fails: what is being made must be there before it can be taken back.
 */
export async function together<const T extends readonly Promise<unknown>[]>(
  work: T,
): Promise<{ readonly [K in keyof T]: Awaited<T[K]> }> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return Promise.all(work) as Promise<{ readonly [K in keyof T]: Awaited<T[K]> }>;
}
