import { type Node, resources } from '@wherry/api';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { changedTaints, parseTaints, type TaintChanges } from '../../kube/taints.ts';
import { fetchTarget, type Target, targetsOf } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { TaintFlags } from '../nodes.ts';

export function taint(context: Context, type: string, words: readonly string[], flags: TaintFlags): Promise<void> {
  const isChange = (word: string) => /[=:]|-$/.test(word);
  const changes = parseTaints(words.filter(isChange));
  if (changes.set.length + changes.removed.length === 0) throw new VerbError('at least one taint update is required');
  return withSession(context, flags, async (session) => {
    const problems = new Problems(context);
    const names = words.filter((word) => !isChange(word));
    for (const target of await targetsOf(session, [type, ...names], flags)) {
      await problems.attempt(() => taintOne(context, session, target, changes, flags));
    }
  });
}

async function taintOne(
  context: Context,
  session: Session,
  target: Target,
  changes: TaintChanges,
  flags: TaintFlags,
): Promise<void> {
  if (target.resource.resource !== 'nodes')
    throw new VerbError(`invalid resource type ${target.resource.resource}, only node types are supported`);
  const node = await fetchTarget<Node>(session, target);
  const taints = changedTaints(target.name, node.spec?.taints ?? [], changes, flags.overwrite === true);
  const strategy = dryRunOf(flags.dryRun);
  // Whole and with the version it was made from: taints have no key that a patch could merge them by.
  const patch = { metadata: { resourceVersion: node.metadata?.resourceVersion }, spec: { taints } };
  const changed =
    strategy === 'client'
      ? node
      : await session.client.patch(resources.nodes, target.name, patch, {
          type: 'merge',
          dryRun: strategy === 'server',
        });
  const done =
    flags.overwrite === true || changes.set.length * changes.removed.length > 0
      ? 'modified'
      : changes.set.length > 0
        ? 'tainted'
        : 'untainted';
  await report(context, flags, target.resource, changed, done);
}
