import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiObject, facts } from '@wherry/api';
import { loadYamlDocuments, yamlProblem } from '@wherry/client';
import { threeWayPatch } from '../../apply/three-way.ts';
import type { Context } from '../../context.ts';
import { scopeOf } from '../../kube/edit-objects.ts';
import { errorText, isRefusal } from '../../kube/error-text.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fetchTarget, type Target, targetsOf } from '../../kube/targets.ts';
import { fieldValidationOf } from '../../kube/validation.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { goJson } from '../../printers/go-json.ts';
import { displayName, toYaml } from '../../printers/printer.ts';
import type { EditFlags } from '../edit.ts';

type Json = Readonly<Record<string, unknown>>;

const HEADER = `# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`;

export function edit(context: Context, args: readonly string[], flags: EditFlags): Promise<void> {
  if (flags.output !== 'yaml' && flags.output !== 'json') {
    throw new VerbError(`The flag 'output' must be one of yaml|json`);
  }
  return withSession(context, flags, async (session) => {
    for (const target of await targetsOf(session, args, flags)) await editOne(context, session, target, flags);
  });
}

/** Opens the editor until what it leaves is taken, is unchanged, or is empty. */
async function editOne(context: Context, session: Session, target: Target, flags: EditFlags): Promise<void> {
  const { managedFields: _, ...metadata } = (await fetchTarget(session, target)).metadata ?? {};
  const original: ApiObject = { ...(await fetchTarget(session, target)), metadata };
  const folder = mkdtempSync(join(tmpdir(), 'wherry-edit-'));
  const file = join(folder, `${target.name}.${flags.output}`);
  let text = flags.output === 'json' ? `${goJson(original, 4)}\n` : toYaml(original);
  let reason = '';
  let isKept = false;
  try {
    for (;;) {
      writeFileSync(file, HEADER + reason + text, { mode: 0o600 });
      runEditor(context, file);
      const edited = withoutComments(readFileSync(file, 'utf8'));
      const isUnchanged = edited.trim() === text.trim();
      if (isUnchanged && reason === '') return context.terminal.err('Edit cancelled, no changes made.');
      if (edited.trim() === '') return context.terminal.err('Edit cancelled, saved file was empty.');
      if (isUnchanged) {
        // The same mistake again: whoever saved it has given up.
        isKept = true;
        throw new VerbError(
          `Edit cancelled, no valid changes were saved. A copy of your changes has been stored to "${file}"`,
        );
      }
      text = edited;
      try {
        const changed = await save(session, target, original, parse(edited), flags);
        const name = displayName(target.resource, target.name);
        return changed
          ? context.terminal.out(`${name} edited`)
          : context.terminal.err('Edit cancelled, no changes made.');
      } catch (error) {
        if (!isRefusal(error) && !(error instanceof VerbError)) throw error;
        reason = `${errorText(error)
          .split('\n')
          .map((line) => `# ${line}`)
          .join('\n')}\n#\n`;
        context.terminal.err(`${errorText(error)}`);
      }
    }
  } finally {
    if (!isKept) rmSync(folder, { recursive: true, force: true });
  }
}

function runEditor({ environment }: Context, file: string): void {
  const editor = environment['KUBE_EDITOR'] || environment['EDITOR'] || 'vi';
  // By the shell, as kubectl does: $EDITOR may hold flags.
  const { status, error } = spawnSync('/bin/sh', ['-c', `${editor} "$0"`, file], { stdio: 'inherit' });
  if (error !== undefined) throw new VerbError(`unable to launch the editor "${editor}"`, { cause: error });
  if (status !== 0) throw new VerbError(`there was a problem with the editor "${editor}"`);
}

function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');
}

function parse(text: string): ApiObject {
  try {
    return loadYamlDocuments(text)[0] as ApiObject;
  } catch (cause) {
    throw new VerbError(`The edited file is not valid: ${yamlProblem(cause)}`, {
      cause,
    });
  }
}

/** @returns false when nothing differs */
async function save(
  session: Session,
  { resource, namespace, name }: Target,
  original: ApiObject,
  edited: ApiObject,
  flags: EditFlags,
): Promise<boolean> {
  if (edited.metadata?.name !== name) throw new VerbError('At least one of apiVersion, kind and name was changed');
  const schema = facts.ofKind(resource.group, resource.version, resource.kind);
  const changes = threeWayPatch(original as Json, edited as Json, original as Json, schema);
  if (Object.keys(changes).length === 0) return false;
  const { subresource } = flags;
  await session.client.patch<ApiObject>(resource, name, changes, {
    ...scopeOf(namespace),
    ...(subresource === undefined ? {} : { subresource }),
    type: schema === undefined ? 'merge' : 'strategic',
    fieldManager: 'wherry-edit',
    fieldValidation: fieldValidationOf(flags.validate),
  });
  return true;
}
