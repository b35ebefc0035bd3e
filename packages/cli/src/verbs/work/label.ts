import type { ApiObject } from '@wherry/api';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { scopeOf } from '../../kube/edit-objects.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fetchTarget, type Target, targetsOf } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { LabelFlags } from '../label.ts';

type Field = 'labels' | 'annotations';
/** Null removes. */
type Changes = ReadonlyMap<string, string | null>;

export function change(context: Context, field: Field, words: readonly string[], flags: LabelFlags): Promise<void> {
  const isChange = (word: string) => (word.includes('=') || word.endsWith('-')) && !word.startsWith('-');
  const changes = parseChanges(words.filter(isChange));
  if (changes.size === 0 && flags.list !== true) {
    throw new VerbError(`at least one ${field === 'labels' ? 'label' : 'annotation'} update is required`);
  }
  return withSession(context, flags, async (session) => {
    const names = words.filter((word) => !isChange(word));
    const targets = await targetsOf(
      session,
      names,
      flags.list === true && names.length === 1 ? { ...flags, all: true } : flags,
    );
    const problems = new Problems(context);
    for (const target of targets) {
      await problems.attempt(async () => {
        const object = await fetchTarget(session, target);
        if (flags.list === true) list(context, target, object, field, targets.length > 1);
        if (changes.size > 0) await changeOne(context, session, target, object, field, changes, flags);
      });
    }
  });
}

function list(context: Context, target: Target, object: ApiObject, field: Field, isNamed: boolean): void {
  if (isNamed)
    context.terminal.out(`Listing ${field} for ${target.resource.kind}.${target.resource.group}/${target.name}:`);
  const indent = isNamed ? ' ' : '';
  for (const [key, value] of Object.entries(object.metadata?.[field] ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    context.terminal.out(`${indent}${key}=${value}`);
  }
}

async function changeOne(
  context: Context,
  session: Session,
  { resource, namespace, name }: Target,
  object: ApiObject,
  field: Field,
  changes: Changes,
  flags: LabelFlags,
): Promise<void> {
  const current = object.metadata?.[field] ?? {};
  const clash = [...changes].find(
    ([key, value]) => value !== null && current[key] !== undefined && current[key] !== value,
  );
  if (clash !== undefined && flags.overwrite !== true) {
    const [key] = clash;
    const clashing = `'${key}' already has a value (${current[key]})`;
    throw new VerbError(
      field === 'labels'
        ? `${clashing}, and --overwrite is false`
        : `--overwrite is false but found the following declared annotation(s): ${clashing}`,
    );
  }
  for (const [key, value] of changes) {
    if (field === 'labels' && value === null && current[key] === undefined) {
      context.terminal.out(`label "${key}" not found.`);
    }
  }
  const real = [...changes].filter(([key, value]) =>
    value === null ? current[key] !== undefined : current[key] !== value,
  );
  const strategy = dryRunOf(flags.dryRun);
  let changed = object;
  if (real.length > 0 && strategy !== 'client') {
    const { resourceVersion } = flags;
    const patch = {
      metadata: { [field]: Object.fromEntries(real), ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    };
    changed = await session.client.patch(resource, name, patch, {
      ...scopeOf(namespace),
      type: 'merge',
      fieldManager: `wherry-${field === 'labels' ? 'label' : 'annotate'}`,
      dryRun: strategy === 'server',
    });
  }
  await report(context, flags, resource, changed, doneText(field, real, changes));
}

function doneText(field: Field, real: readonly (readonly [string, string | null])[], changes: Changes): string {
  if (field === 'annotations') return 'annotated';
  if (real.length === 0) return 'not labeled';
  const isRemoval = [...changes.values()].every((value) => value === null);
  return isRemoval ? 'unlabeled' : 'labeled';
}

function parseChanges(words: readonly string[]): Changes {
  const changes = new Map<string, string | null>();
  for (const word of words) {
    const equals = word.indexOf('=');
    const key = equals === -1 ? word.slice(0, -1) : word.slice(0, equals);
    const value = equals === -1 ? null : word.slice(equals + 1);
    if (changes.has(key) && (changes.get(key) === null) !== (value === null)) {
      throw new VerbError(`can not both modify and remove label(s) in the same command`);
    }
    changes.set(key, value);
  }
  return changes;
}
