import { isNotFound } from '@wherry/api';
import { pollUntil } from '@wherry/client';
import type { Context } from '../context.ts';
import type { Session } from './session.ts';
import { fetchTarget, type Target } from './targets.ts';
import { VerbError } from './verb-error.ts';

/** Between looks at whether a deleted object is gone. */
const POLL_MS = 200;

/**
 * Waits until an object is gone, or another one has its name.
 * @param untilMs when to give up, on the monotonic clock; undefined never
 */
export async function waitUntilGone(
  context: Context,
  session: Session,
  target: Target & { readonly uid: string | undefined },
  untilMs: number | undefined,
): Promise<void> {
  const { clock, signal } = context;
  const isGone = async (): Promise<boolean> => {
    try {
      const object = await fetchTarget(session, target);
      return target.uid !== undefined && object.metadata?.uid !== target.uid;
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
  };
  const done = await pollUntil(clock, POLL_MS, signal, async () => {
    if (await isGone()) return true;
    if (untilMs !== undefined && clock.monotonicMs() >= untilMs) {
      throw new VerbError(`timed out waiting for the condition on ${target.resource.resource}/${target.name}`);
    }
    return false;
  });
  if (!done) signal.throwIfAborted();
}
