import type { ApiObject, Scale } from '@wherry/api';
import { objectPath, pollUntil, readBody } from '@wherry/client';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { durationMs } from '../../kube/durations.ts';
import { scopeOf } from '../../kube/edit-objects.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fetchTarget, type Target, targetsOf } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { ScaleFlags } from '../scale.ts';

const POLL_MS = 250;

export function scale(context: Context, args: readonly string[], flags: ScaleFlags): Promise<void> {
  const replicas = Number(flags.replicas);
  if (!Number.isInteger(replicas) || replicas < 0) {
    throw new VerbError(`The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0`);
  }
  return withSession(context, flags, async (session) => {
    const problems = new Problems(context);
    const targets = await targetsOf(session, args, flags);
    if (targets.length === 0) throw new VerbError('no objects passed to scale');
    for (const target of targets) await problems.attempt(() => scaleOne(context, session, target, replicas, flags));
  });
}

async function scaleOne(
  context: Context,
  session: Session,
  target: Target,
  replicas: number,
  flags: ScaleFlags,
): Promise<void> {
  const { resource, namespace, name } = target;
  const strategy = dryRunOf(flags.dryRun);
  const path = objectPath(resource, name, namespace, 'scale');
  const response = await session.client.raw({ method: 'GET', path, headers: { accept: 'application/json' } });
  const current = JSON.parse((await readBody(response)).toString('utf8')) as Scale;
  const now = current.spec?.replicas ?? 0;
  const expected = Number(flags.currentReplicas);
  if (expected !== -1 && expected !== now) {
    throw new VerbError(`Expected replicas to be ${expected}, was ${now}`);
  }
  if (strategy !== 'client') {
    const { resourceVersion } = flags;
    const patch = { ...(resourceVersion === undefined ? {} : { metadata: { resourceVersion } }), spec: { replicas } };
    await session.client.patch<ApiObject>(resource, name, patch, {
      ...scopeOf(namespace),
      subresource: 'scale',
      type: 'merge',
      dryRun: strategy === 'server',
    });
  }
  const timeoutMs = durationMs('--timeout', flags.timeout);
  if (timeoutMs > 0) await untilScaled(context, session, target, replicas, timeoutMs);
  await report(context, flags, resource, await fetchTarget(session, target), 'scaled');
}

async function untilScaled(
  context: Context,
  session: Session,
  target: Target,
  replicas: number,
  timeoutMs: number,
): Promise<void> {
  const { clock, signal } = context;
  const untilMs = clock.monotonicMs() + timeoutMs;
  const done = await pollUntil(clock, POLL_MS, signal, async () => {
    const { metadata, status } = await fetchTarget<
      ApiObject & { status?: { observedGeneration?: number; replicas?: number } }
    >(session, target);
    if ((status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0) && (status?.replicas ?? 0) === replicas)
      return true;
    if (clock.monotonicMs() >= untilMs) throw new VerbError('timed out waiting for the condition');
    return false;
  });
  if (!done) signal.throwIfAborted();
}
