import { type ApiObject, isNotFound, type StatusError } from '@wherry/api';
import { type DeleteOptions, type PropagationPolicy, pollUntil } from '@wherry/client';
import type { CommandDefinition, Context } from '../context.ts';
import { Failure } from '../failure.ts';
import type { DiscoveredResource } from '../kube/discovery.ts';
import { place, readManifests, scopeOf } from '../kube/edit-objects.ts';
import { parseSelection } from '../kube/selection.ts';
import { type Session, type TargetFlags, withSession, withTarget } from '../kube/session.ts';
import { dryRunOf, dryRunSuffix } from './create.ts';
import { qualifiedName } from './naming.ts';

interface DeleteFlags extends TargetFlags {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly selector?: string;
  readonly all?: boolean;
  readonly gracePeriod?: string;
  readonly now?: boolean;
  readonly force?: boolean;
  readonly cascade: string;
  readonly wait: string | boolean;
  readonly ignoreNotFound?: boolean;
  readonly dryRun?: string;
}

interface Target {
  readonly resource: DiscoveredResource;
  readonly namespace: string | undefined;
  readonly name: string;
}

const PROPAGATION: Readonly<Record<string, PropagationPolicy>> = {
  background: 'Background',
  foreground: 'Foreground',
  orphan: 'Orphan',
};
/** Between looks at whether a deleted object is gone. */
const POLL_MS = 200;

export const deleteCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('delete'))
    .description('Delete objects by name, selector or manifest, and wait until they are gone')
    .argument('[type]', 'type or type/name')
    .argument('[names...]')
    .option('-f, --filename <path...>', 'objects named in a file, folder or - for standard input')
    .option('-R, --recursive', 'also folders within folders')
    .option('-l, --selector <labels>', 'label selector')
    .option('--all', 'all objects of the type in the namespace')
    .option('--grace-period <seconds>', 'seconds to end in; -1 is the object’s own', '-1')
    .option('--now', 'grace period of 1 second')
    .option('--force', 'with --grace-period=0: remove at once, without waiting for the node')
    .option('--cascade <strategy>', 'background, foreground or orphan', 'background')
    .option('--wait <boolean>', 'wait until the objects are gone', 'true')
    .option('--ignore-not-found', 'a missing object is no error')
    .option('--dry-run <strategy>', 'none, server or client', 'none')
    .action((type: string | undefined, names: readonly string[], flags: DeleteFlags) =>
      withSession(context, flags, (session) =>
        deleteAll(context, session, type === undefined ? [] : [type, ...names], flags),
      ),
    );
};

async function deleteAll(
  context: Context,
  session: Session,
  args: readonly string[],
  flags: DeleteFlags,
): Promise<void> {
  const strategy = dryRunOf(flags.dryRun);
  const targets = await targetsOf(session, args, flags);
  const gone: (Target & { readonly uid: string | undefined })[] = [];
  let missing = 0;
  for (const target of targets) {
    try {
      const uid = strategy === 'client' ? undefined : await deleteOne(session, target, flags, strategy === 'server');
      context.terminal.out(
        `${qualifiedName(target.resource)} "${target.name}" ${flags.force === true ? 'force ' : ''}deleted${dryRunSuffix(strategy)}`,
      );
      if (strategy === 'none') gone.push({ ...target, uid });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (flags.ignoreNotFound === true) continue;
      missing++;
      context.terminal.err(`Error from server (NotFound): ${(error as StatusError).message}`);
    }
  }
  if (targets.length === 0) context.terminal.err('No resources found');
  if (String(flags.wait) === 'true') for (const target of gone) await waitUntilGone(context, session, target);
  if (missing > 0) throw new Failure(`${missing} of ${targets.length} objects were not found`);
}

async function deleteOne(
  session: Session,
  target: Target,
  flags: DeleteFlags,
  dryRun: boolean,
): Promise<string | undefined> {
  const answer = await session.client.delete(target.resource, target.name, {
    ...scopeOf(target.namespace),
    ...deleteOptions(flags),
    dryRun,
  });
  return 'details' in answer ? answer.details?.uid : (answer as ApiObject).metadata?.uid;
}

function deleteOptions(flags: DeleteFlags): DeleteOptions {
  const propagationPolicy = PROPAGATION[flags.cascade];
  if (propagationPolicy === undefined)
    throw new Failure(`--cascade is "${flags.cascade}", must be background, foreground or orphan`);
  const seconds = flags.now === true ? 1 : flags.force === true ? 0 : Number(flags.gracePeriod);
  if (!Number.isInteger(seconds))
    throw new Failure(`--grace-period is "${flags.gracePeriod ?? ''}", must be a whole number`);
  return { propagationPolicy, ...(seconds < 0 ? {} : { gracePeriodSeconds: seconds }) };
}

async function targetsOf(session: Session, args: readonly string[], flags: DeleteFlags): Promise<readonly Target[]> {
  if (flags.filename !== undefined) {
    const manifests = await readManifests(flags.filename, process.stdin, flags.recursive);
    const placed = await Promise.all(manifests.map((manifest) => place(session, manifest)));
    return placed.map(({ resource, namespace, object }) => ({
      resource,
      namespace,
      name: object.metadata?.name ?? '',
    }));
  }
  const selections = await parseSelection(args, session.discovery);
  const targets: Target[] = [];
  for (const { resource, name } of selections) {
    const namespace = resource.namespaced ? session.namespace : undefined;
    if (name !== undefined) {
      targets.push({ resource, namespace, name });
      continue;
    }
    if (flags.selector === undefined && flags.all !== true) {
      throw new Failure(
        `resource(s) were provided, but no name was specified: give names, --selector or --all for ${resource.resource}`,
      );
    }
    const selector = flags.selector === undefined ? {} : { labelSelector: flags.selector };
    const list = await session.client.list(resource, { ...scopeOf(namespace), ...selector });
    for (const { metadata } of list.items) targets.push({ resource, namespace, name: metadata?.name ?? '' });
  }
  return targets;
}

async function waitUntilGone(
  context: Context,
  session: Session,
  target: Target & { readonly uid: string | undefined },
): Promise<void> {
  await pollUntil(context.clock, POLL_MS, context.signal, async () => {
    try {
      const object = await session.client.get(target.resource, target.name, scopeOf(target.namespace));
      return target.uid !== undefined && object.metadata?.uid !== target.uid;
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
  });
}
