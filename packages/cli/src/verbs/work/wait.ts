import { type ApiObject, isNotFound } from '@wherry/api';
import { pollUntil } from '@wherry/client';
import type { Context } from '../../context.ts';
import { durationMs } from '../../kube/durations.ts';
import { Problems } from '../../kube/problems.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fetchTarget, type Target, targetsOf } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { isMet, parseCondition, type WaitCondition } from '../../kube/wait-condition.ts';
import { displayName, parseOutput, printObjects } from '../../printers/printer.ts';
import type { WaitFlags } from '../wait.ts';

const POLL_MS = 200;
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

export function wait(context: Context, args: readonly string[], flags: WaitFlags): Promise<void> {
  const conditions = (flags.for ?? ['']).map(parseCondition);
  const timeoutMs = durationMs('--timeout', flags.timeout);
  const untilMs = context.clock.monotonicMs() + (timeoutMs < 0 ? WEEK_MS : timeoutMs);
  return withSession(context, flags, async (session) => {
    const isDeletion = conditions.some(({ kind }) => kind === 'delete');
    const targets = await targetsSoon(context, session, args, flags, conditions, untilMs);
    if (targets.length === 0 && !isDeletion) throw new VerbError('no matching resources found');
    const problems = new Problems(context);
    for (const target of targets) {
      await problems.attempt(async () => {
        let object: ApiObject | undefined;
        // An object that is gone was there before: only then has a deletion been waited for.
        const before = isDeletion ? await current(session, target) : undefined;
        if (isDeletion && before === undefined) return;
        for (const condition of conditions)
          object = await untilMet(context, session, target, condition, untilMs, before?.metadata?.uid);
        const format = parseOutput(flags.output);
        const shown = object ?? before;
        if (format.kind === 'table' || shown === undefined) {
          context.terminal.out(`${displayName(target.resource, target.name)} condition met`);
        } else {
          await context.terminal.write(printObjects(format, [{ resource: target.resource, object: shown }], true));
        }
      });
    }
  });
}

/** What is waited to be created may have no match for its selector at first. */
async function targetsSoon(
  context: Context,
  session: Session,
  args: readonly string[],
  flags: WaitFlags,
  conditions: readonly WaitCondition[],
  untilMs: number,
): Promise<readonly Target[]> {
  const { clock, signal } = context;
  let targets = await targetsOf(session, args, flags);
  if (!conditions.some(({ kind }) => kind === 'create')) return targets;
  await pollUntil(clock, POLL_MS, signal, async () => {
    if (targets.length > 0 || clock.monotonicMs() >= untilMs) return true;
    targets = await targetsOf(session, args, flags);
    return targets.length > 0;
  });
  return targets;
}

async function current(session: Session, target: Target): Promise<ApiObject | undefined> {
  try {
    return await fetchTarget(session, target);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** @param uid of the object whose deletion is waited for: another one of its name is not it */
async function untilMet(
  context: Context,
  session: Session,
  target: Target,
  condition: WaitCondition,
  untilMs: number,
  uid: string | undefined,
): Promise<ApiObject | undefined> {
  const { clock, signal } = context;
  let object: ApiObject | undefined;
  const mayBeMissing = condition.kind === 'create' || condition.kind === 'delete';
  const done = await pollUntil(clock, POLL_MS, signal, async () => {
    object = mayBeMissing ? await current(session, target) : await fetchTarget(session, target);
    if (uid !== undefined && object !== undefined && object.metadata?.uid !== uid) object = undefined;
    if (isMet(condition, object)) return true;
    if (clock.monotonicMs() >= untilMs) {
      throw new VerbError(`timed out waiting for the condition on ${target.resource.resource}/${target.name}`);
    }
    return false;
  });
  if (!done) signal.throwIfAborted();
  return object;
}
