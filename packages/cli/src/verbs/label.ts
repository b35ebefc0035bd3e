import type { ApiObject } from '@wherry/api';
import type { CommandDefinition, Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { scopeOf } from '../kube/edit-objects.ts';
import { parseSelection } from '../kube/selection.ts';
import { type Session, type TargetFlags, withSession, withTarget } from '../kube/session.ts';
import { displayName } from '../printers/printer.ts';

interface LabelFlags extends TargetFlags {
  readonly overwrite?: boolean;
  readonly selector?: string;
  readonly all?: boolean;
}
type Field = 'labels' | 'annotations';

export const labelCommand: CommandDefinition = (parent, context) => define('label', 'labels', parent, context);
export const annotateCommand: CommandDefinition = (parent, context) =>
  define('annotate', 'annotations', parent, context);

function define(verb: string, field: Field, parent: Parameters<CommandDefinition>[0], context: Context): void {
  withTarget(parent.command(verb))
    .description(`Change ${field}: wherry ${verb} pod web tier=front debug-`)
    .argument('<type>', 'type, or type/name')
    .argument('<words...>', `names, then key=value to set and key- to remove`)
    .option('--overwrite', 'replace values that are set already')
    .option('-l, --selector <labels>', 'label selector instead of names')
    .option('--all', 'all objects of the type in the namespace')
    .action((type: string, words: readonly string[], flags: LabelFlags) =>
      withSession(context, flags, (session) => change(context, session, field, [type, ...words], flags)),
    );
}

async function change(
  context: Context,
  session: Session,
  field: Field,
  words: readonly string[],
  flags: LabelFlags,
): Promise<void> {
  const isChange = (word: string) => word.includes('=') || word.endsWith('-');
  const changes = parseChanges(words.filter(isChange), field);
  const targets = await targetsOf(
    session,
    words.filter((word) => !isChange(word)),
    flags,
  );
  for (const { resource, object } of targets) {
    const { name = '', namespace } = object.metadata ?? {};
    const current = object.metadata?.[field] ?? {};
    const clash = [...changes].find(
      ([key, value]) => value !== null && current[key] !== undefined && current[key] !== value,
    );
    if (clash !== undefined && flags.overwrite !== true) {
      throw new Failure(`'${clash[0]}' already has a value (${current[clash[0]]}), and --overwrite is false`);
    }
    const real = [...changes].filter(([key, value]) =>
      value === null ? current[key] !== undefined : current[key] !== value,
    );
    if (real.length === 0) {
      context.terminal.out(`${displayName(resource, name)} not ${field === 'labels' ? 'labeled' : 'annotated'}`);
      continue;
    }
    const patch = { metadata: { [field]: Object.fromEntries(real) } };
    await session.client.patch(resource, name, patch, {
      ...scopeOf(namespace),
      type: 'merge',
      fieldManager: 'wherry-label',
    });
    const removedOnly = real.every(([, value]) => value === null);
    const done = field === 'labels' ? (removedOnly ? 'unlabeled' : 'labeled') : 'annotated';
    context.terminal.out(`${displayName(resource, name)} ${done}`);
  }
}

function parseChanges(words: readonly string[], field: Field): ReadonlyMap<string, string | null> {
  if (words.length === 0)
    throw new Failure(`at least one ${field === 'labels' ? 'label' : 'annotation'} update is required`);
  return new Map(
    words.map((word) => {
      const equals = word.indexOf('=');
      return equals === -1 ? [word.slice(0, -1), null] : [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}

async function targetsOf(session: Session, args: readonly string[], flags: LabelFlags) {
  const found: { resource: Awaited<ReturnType<typeof parseSelection>>[number]['resource']; object: ApiObject }[] = [];
  for (const { resource, name } of await parseSelection(args, session.discovery)) {
    const namespace = resource.namespaced ? session.namespace : undefined;
    if (name !== undefined) {
      found.push({ resource, object: await session.client.get(resource, name, scopeOf(namespace)) });
      continue;
    }
    if (flags.selector === undefined && flags.all !== true)
      throw new Failure('resource name may not be empty: give names, --selector or --all');
    const selector = flags.selector === undefined ? {} : { labelSelector: flags.selector };
    const list = await session.client.list(resource, { ...scopeOf(namespace), ...selector });
    for (const object of list.items) found.push({ resource, object });
  }
  return found;
}
