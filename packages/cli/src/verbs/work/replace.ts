import { type ApiObject, isNotFound } from '@wherry/api';
import { annotated, LAST_APPLIED } from '../../apply/last-applied.ts';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { durationMs } from '../../kube/durations.ts';
import { type Placed, place, readManifests, scopeOf, withoutVersion } from '../../kube/edit-objects.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fieldValidationOf } from '../../kube/validation.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { waitUntilGone } from '../../kube/wait-gone.ts';
import { qualifiedName } from '../../printers/printer.ts';
import type { ReplaceFlags } from '../replace.ts';

export async function replace(context: Context, flags: ReplaceFlags): Promise<void> {
  if (flags.filename === undefined) throw new VerbError('must specify --filename to replace');
  const manifests = await readManifests(flags.filename, flags.recursive);
  if (manifests.length === 0) throw new VerbError('no objects passed to replace');
  await withSession(context, flags, async (session) => {
    const problems = new Problems(context);
    const placed: (Placed & { readonly source: string })[] = [];
    for (const { object, source } of manifests) placed.push({ ...(await place(session, object, source)), source });
    // All are deleted before any is created: what hangs together goes together.
    if (flags.force === true)
      for (const one of placed) await problems.attempt(() => removeOne(context, session, one, flags));
    for (const one of placed) {
      await problems.attempt(() => replaceOne(context, session, one, flags), `when replacing "${one.source}"`);
    }
  });
}

async function removeOne(context: Context, session: Session, placed: Placed, flags: ReplaceFlags): Promise<void> {
  const { resource, namespace } = placed;
  const name = placed.object.metadata?.name ?? '';
  const seconds = Number(flags.gracePeriod);
  const options = { ...scopeOf(namespace), ...(seconds < 0 ? {} : { gracePeriodSeconds: seconds }) };
  let uid: string | undefined;
  try {
    uid = (await session.client.get(resource, name, scopeOf(namespace))).metadata?.uid;
    await session.client.delete(resource, name, options);
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  const timeoutMs = durationMs('--timeout', flags.timeout);
  const untilMs = timeoutMs > 0 ? context.clock.monotonicMs() + timeoutMs : undefined;
  await waitUntilGone(context, session, { resource, namespace, name, uid }, untilMs);
  context.terminal.out(`${qualifiedName(resource)} "${name}" deleted`);
}

async function replaceOne(context: Context, session: Session, placed: Placed, flags: ReplaceFlags): Promise<void> {
  const { resource, namespace } = placed;
  const strategy = dryRunOf(flags.dryRun);
  const isApplied = placed.object.metadata?.annotations?.[LAST_APPLIED] !== undefined;
  const object = flags.saveConfig === true || isApplied ? annotated(placed.object) : placed.object;
  const options = {
    ...scopeOf(namespace),
    dryRun: strategy === 'server',
    fieldManager: 'wherry-replace',
    fieldValidation: fieldValidationOf(flags.validate),
  };
  const { subresource } = flags;
  const replaced: ApiObject =
    strategy === 'client'
      ? object
      : flags.force === true
        ? await session.client.create(resource, withoutVersion(object), options)
        : await session.client.update(resource, object, {
            ...options,
            ...(subresource === undefined ? {} : { subresource }),
          });
  await report(context, flags, resource, replaced, 'replaced');
}
