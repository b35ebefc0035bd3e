import { type Node, resources } from '@wherry/api';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { CordonFlags } from '../nodes.ts';

export function cordonAll(
  context: Context,
  verb: 'cordon' | 'uncordon',
  names: readonly string[],
  flags: CordonFlags,
): Promise<void> {
  return withSession(context, flags, async (session) => {
    const problems = new Problems(context);
    for (const name of await nodeNames(session, verb, names, flags)) {
      await problems.attempt(async () => cordon(context, session, name, verb === 'cordon', flags));
    }
  });
}

export async function nodeNames(
  session: Session,
  verb: string,
  names: readonly string[],
  { selector }: CordonFlags,
): Promise<readonly string[]> {
  if (names.length > 0 && selector !== undefined) {
    throw new VerbError('error: cannot specify both a node name and a --selector option');
  }
  if (names.length > 0) return names.map((name) => name.replace(/^(nodes?|no)\//, ''));
  if (selector === undefined)
    throw new VerbError(`USAGE: ${verb} NODE [flags]\nSee 'wherry ${verb} -h' for help and examples`);
  const { items } = await session.client.list(resources.nodes, { labelSelector: selector });
  return items.map(({ metadata }) => metadata?.name ?? '');
}

export async function cordon(
  context: Context,
  session: Session,
  name: string,
  unschedulable: boolean,
  flags: CordonFlags,
): Promise<Node> {
  const node = await session.client.get(resources.nodes, name);
  const resource = await session.discovery.find('nodes');
  const verb = unschedulable ? 'cordoned' : 'uncordoned';
  if ((node.spec?.unschedulable ?? false) === unschedulable) {
    await report(context, flags, resource, node, `already ${verb}`);
    return node;
  }
  const strategy = dryRunOf(flags.dryRun);
  const patch = { spec: { unschedulable: unschedulable ? true : null } };
  const changed =
    strategy === 'client'
      ? node
      : await session.client.patch(resources.nodes, name, patch, { type: 'strategic', dryRun: strategy === 'server' });
  await report(context, flags, resource, changed, verb);
  return changed;
}
