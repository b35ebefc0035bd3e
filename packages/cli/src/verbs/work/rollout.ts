import type { ApiObject, DaemonSet, Deployment, StatefulSet } from '@wherry/api';
import { pollUntil } from '@wherry/client';
import { rfc3339 } from '@wherry/daemon';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { durationMs } from '../../kube/durations.ts';
import { scopeOf } from '../../kube/edit-objects.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { rolloutStatus } from '../../kube/rollout-status.ts';
import { parseSelection } from '../../kube/selection.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fetchTarget, type Target, targetsOf } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { RolloutFlags } from '../rollout.ts';
import { history, undo } from './rollout-revisions.ts';

const POLL_MS = 250;
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

type Work = (context: Context, session: Session, target: Target, flags: RolloutFlags) => Promise<void>;

export function rollout(
  context: Context,
  verb: keyof typeof works,
  args: readonly string[],
  flags: RolloutFlags,
): Promise<void> {
  return withSession(context, flags, async (session) => {
    if (args.length === 0 && flags.filename === undefined) throw new VerbError('required resource not specified');
    const problems = new Problems(context);
    for (const target of await rolloutTargets(session, args, flags)) {
      await problems.attempt(() => works[verb](context, session, target, flags));
    }
  });
}

/** A type without names means all of it. */
async function rolloutTargets(
  session: Session,
  args: readonly string[],
  flags: RolloutFlags,
): Promise<readonly Target[]> {
  if (flags.filename !== undefined || flags.selector !== undefined) return targetsOf(session, args, flags);
  const selections = await parseSelection(args, session.discovery);
  const isWhole = selections.some(({ name }) => name === undefined);
  return targetsOf(session, args, isWhole ? { ...flags, all: true } : flags);
}

const status: Work = async (context, session, target, flags) => {
  const { clock, signal } = context;
  const timeoutMs = durationMs('--timeout', flags.timeout);
  const untilMs = timeoutMs > 0 ? clock.monotonicMs() + timeoutMs : Number.POSITIVE_INFINITY;
  let said = '';
  const done = await pollUntil(clock, POLL_MS, signal, async () => {
    const object = await fetchTarget<Deployment & DaemonSet & StatefulSet>(session, target);
    const { message, complete } = rolloutStatus(target.resource.kind, object);
    if (message !== said) context.terminal.out(message);
    said = message;
    if (complete || String(flags.watch) === 'false') return true;
    if (clock.monotonicMs() >= untilMs) throw new VerbError('timed out waiting for the condition');
    return false;
  });
  if (!done) signal.throwIfAborted();
};

const restart: Work = async (context, session, target, flags) => {
  const { resource, name } = target;
  if (!['Deployment', 'DaemonSet', 'StatefulSet'].includes(resource.kind)) {
    throw new VerbError(`${resource.resource} "${name}" restarting is not supported`);
  }
  const object = await fetchTarget<Deployment>(session, target);
  if (object.spec?.paused === true) {
    throw new VerbError(`${qualified(target)} can't restart paused deployment (run rollout resume first)`);
  }
  const restartedAt = rfc3339(context.clock.now());
  if (object.spec?.template?.metadata?.annotations?.[RESTARTED_AT] === restartedAt) {
    throw new VerbError(
      `failed to create patch for ${name}: if restart has already been triggered within the past second, please wait before attempting to trigger another`,
    );
  }
  const patch = { spec: { template: { metadata: { annotations: { [RESTARTED_AT]: restartedAt } } } } };
  await patchAndReport(context, session, target, object, patch, flags, 'restarted');
};

function setPaused(paused: boolean): Work {
  return async (context, session, target, flags) => {
    const { resource, name } = target;
    const done = paused ? 'paused' : 'resumed';
    if (resource.kind !== 'Deployment') {
      throw new VerbError(`${resource.resource} "${name}" ${paused ? 'pausing' : 'resuming'} is not supported`);
    }
    const object = await fetchTarget<Deployment>(session, target);
    if ((object.spec?.paused ?? false) === paused) {
      throw new VerbError(`${qualified(target)} is ${paused ? 'already' : 'not'} paused`);
    }
    await patchAndReport(context, session, target, object, { spec: { paused } }, flags, done);
  };
}

async function patchAndReport(
  context: Context,
  session: Session,
  { resource, namespace, name }: Target,
  object: ApiObject,
  patch: unknown,
  flags: RolloutFlags,
  done: string,
): Promise<void> {
  const strategy = dryRunOf(flags.dryRun);
  const options = { ...scopeOf(namespace), type: 'strategic', dryRun: strategy === 'server' } as const;
  const patched =
    strategy === 'client' ? object : await session.client.patch<ApiObject>(resource, name, patch, options);
  await report(context, flags, resource, patched, done);
}

/** `deployments.apps "web"`. */
function qualified({ resource, name }: Target): string {
  return `${resource.resource}${resource.group === '' ? '' : `.${resource.group}`} "${name}"`;
}

const works = { status, history, undo, restart, pause: setPaused(true), resume: setPaused(false) };
