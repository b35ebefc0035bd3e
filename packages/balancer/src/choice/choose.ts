import type { Random } from '@wherry/daemon';
import type { BackendState } from '../health/backend-health.ts';

/** What the choice knows of a backend. */
export interface Candidate {
  readonly state: BackendState;
  /** Open connections, those being dialed included. */
  readonly connections: number;
}

/**
 * The ready candidate with the fewest connections, one of several such at random. When none is ready and
 * `unreadyFallback` is set, one that is alive: without a store API servers are not ready, yet they answer watches and
 * health questions, and a client learns more from their error than from a reset.
 * @returns undefined when there is none to use
 */
export function choose<T extends Candidate>(
  candidates: readonly T[],
  unreadyFallback: boolean,
  random: Pick<Random, 'integer'>,
): T | undefined {
  const ready = candidates.filter(({ state }) => state === 'ready');
  const usable =
    ready.length > 0 || !unreadyFallback
      ? ready
      : candidates.filter(({ state }) => state === 'unready' || state === 'unknown');
  let fewest = Number.POSITIVE_INFINITY;
  for (const { connections } of usable) fewest = Math.min(fewest, connections);
  const best = usable.filter(({ connections }) => connections === fewest);
  return best[random.integer(best.length)];
}
