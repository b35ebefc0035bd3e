import type { Clock } from '@wherry/daemon';
import type { Storage } from '../storage/port.ts';

/** A balancer asks four times a second, and each question to the store is a round of all its members. */
const GOOD_NEWS_MS_MAX = 1_000;

/** Whether the store answers consistent reads. That it did is believed for a second, that it did not is asked again. */
export function storeHealth(storage: Pick<Storage, 'currentRevision'>, clock: Clock): () => Promise<undefined> {
  let answeredAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const askedAtMs = clock.monotonicMs();
    if (askedAtMs - answeredAtMs < GOOD_NEWS_MS_MAX) return undefined;
    await storage.currentRevision();
    answeredAtMs = askedAtMs;
    return undefined;
  };
}
