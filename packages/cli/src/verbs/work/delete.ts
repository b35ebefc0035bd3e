import { type ApiObject, isNotFound } from '@wherry/api';
import type { DeleteOptions, PropagationPolicy } from '@wherry/client';
import type { Context } from '../../context.ts';
import { type DryRun, dryRunOf, dryRunSuffix } from '../../kube/dry-run.ts';
import { durationMs } from '../../kube/durations.ts';
import { scopeOf } from '../../kube/edit-objects.ts';
import { Problems } from '../../kube/problems.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fetchTarget, type Target, targetsOf } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { waitUntilGone } from '../../kube/wait-gone.ts';
import { displayName, qualifiedName } from '../../printers/printer.ts';
import type { DeleteFlags } from '../delete.ts';

type Deleted = Target & { readonly uid: string | undefined };

const PROPAGATION: Readonly<Record<string, PropagationPolicy>> = {
  background: 'Background',
  foreground: 'Foreground',
  orphan: 'Orphan',
  true: 'Background',
  false: 'Orphan',
};

export function remove(context: Context, args: readonly string[], flags: DeleteFlags): Promise<void> {
  const options = deleteOptions(flags);
  const strategy = dryRunOf(flags.dryRun);
  return withSession(context, flags, async (session) => {
    if (flags.force === true && Number(flags.gracePeriod) <= 0) {
      context.terminal.err(
        'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.',
      );
    }
    const targets = await targetsOf(session, args, flags);
    if (targets.length === 0) context.terminal.out('No resources found');
    const problems = new Problems(context);
    const deleted: Deleted[] = [];
    for (const target of targets) {
      const one = await problems.attempt(() => deleteOne(session, target, flags, options, strategy));
      if (one === undefined || one === 'missing') continue;
      context.terminal.out(deletedText(target, flags, options, strategy));
      if (strategy === 'none') deleted.push(one);
    }
    if (String(flags.wait) !== 'true') return;
    const timeoutMs = durationMs('--timeout', flags.timeout);
    const untilMs = timeoutMs > 0 ? context.clock.monotonicMs() + timeoutMs : undefined;
    for (const one of deleted) await problems.attempt(async () => waitUntilGone(context, session, one, untilMs));
  });
}

function deletedText(target: Target, flags: DeleteFlags, options: DeleteOptions, strategy: DryRun): string {
  if (flags.output === 'name') return displayName(target.resource, target.name);
  const forced = options.gracePeriodSeconds === 0 ? 'force ' : '';
  return `${qualifiedName(target.resource)} "${target.name}" ${forced}deleted${dryRunSuffix(strategy)}`;
}

async function deleteOne(
  session: Session,
  target: Target,
  flags: DeleteFlags,
  options: DeleteOptions,
  strategy: DryRun,
): Promise<Deleted | 'missing'> {
  try {
    if (strategy === 'client') {
      await fetchTarget(session, target);
      return { ...target, uid: undefined };
    }
    const dryRun = strategy === 'server';
    const answer = await session.client.delete(target.resource, target.name, {
      ...scopeOf(target.namespace),
      ...options,
      dryRun,
    });
    const uid = 'details' in answer ? answer.details?.uid : (answer as ApiObject).metadata?.uid;
    return { ...target, uid };
  } catch (error) {
    if (flags.ignoreNotFound === true && isNotFound(error)) return 'missing';
    // What --all or a selector found may be gone before its turn.
    if (isNotFound(error) && (flags.all === true || flags.selector !== undefined)) return 'missing';
    throw error;
  }
}

function deleteOptions(flags: DeleteFlags): DeleteOptions {
  const propagationPolicy = PROPAGATION[String(flags.cascade)];
  if (propagationPolicy === undefined) {
    throw new VerbError(
      `invalid cascade value (${String(flags.cascade)}). Must be "background", "foreground", or "orphan"`,
    );
  }
  const given = Number(flags.gracePeriod);
  if (!Number.isInteger(given))
    throw new VerbError(`invalid argument "${flags.gracePeriod}" for "--grace-period" flag`);
  if (flags.now === true && given >= 0) throw new VerbError('--now and --grace-period cannot be specified together');
  if (flags.force === true && given > 0)
    throw new VerbError('--force and --grace-period greater than 0 cannot be specified together');
  const seconds = flags.now === true ? 1 : flags.force === true ? 0 : given;
  // Zero is only taken with --force: otherwise the node still confirms, as soon as it can.
  const sent = seconds === 0 && flags.force !== true ? 1 : seconds;
  return { propagationPolicy, ...(sent < 0 ? {} : { gracePeriodSeconds: sent }) };
}
