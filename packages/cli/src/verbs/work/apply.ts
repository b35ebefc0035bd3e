import { type ApiObject, facts, isNotFound, labelsMatch, parseLabelSelector } from '@wherry/api';
import { annotated, lastAppliedOf } from '../../apply/last-applied.ts';
import { applyServerSide } from '../../apply/server-side.ts';
import { threeWayPatch } from '../../apply/three-way.ts';
import type { Context } from '../../context.ts';
import { type DryRun, dryRunOf } from '../../kube/dry-run.ts';
import { type Placed, place, readManifests, scopeOf } from '../../kube/edit-objects.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fieldValidationOf } from '../../kube/validation.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { type PrintedObject, parseOutput, printObjects } from '../../printers/printer.ts';
import type { ApplyFlags } from '../apply.ts';

type Json = Readonly<Record<string, unknown>>;

const FIELD_MANAGER = 'wherry-client-side-apply';
const SERVER_SIDE_MANAGER = 'wherry';

export async function apply(context: Context, flags: ApplyFlags): Promise<void> {
  if (flags.filename === undefined) throw new VerbError('must specify one of -f and -k');
  checkServerSide(flags);
  const manifests = await readManifests(flags.filename, flags.recursive);
  const selector = flags.selector === undefined ? undefined : parseLabelSelector(flags.selector);
  const wanted = manifests.filter(
    ({ object }) => selector === undefined || labelsMatch(selector, object.metadata?.labels),
  );
  if (wanted.length === 0) throw new VerbError('no objects passed to apply');
  await withSession(context, flags, async (session) => {
    const problems = new Problems(context);
    const results: PrintedObject[] = [];
    const asWhole = ['json', 'yaml'].includes(parseOutput(flags.output).kind) && wanted.length > 1;
    for (const { object, source } of wanted) {
      const placed = await problems.attempt(() => place(session, object, source));
      if (placed === undefined) continue;
      let stage = 'applying';
      const applied = await problems.attempt(
        () =>
          send(context, session, placed, flags, (name) => {
            stage = name;
          }),
        () => `when ${stage} "${source}"`,
      );
      if (applied === undefined) continue;
      if (asWhole) results.push({ resource: placed.resource, object: applied.object });
      else await report(context, flags, placed.resource, applied.object, applied.done);
    }
    const format = parseOutput(flags.output);
    if (results.length > 0 && format.kind !== 'table')
      await context.terminal.write(printObjects(format, results, false));
  });
}

function checkServerSide({ serverSide, forceConflicts, dryRun }: ApplyFlags): void {
  if (forceConflicts === true && serverSide !== true) {
    throw new VerbError('--force-conflicts only works with --server-side');
  }
  if (serverSide === true && dryRunOf(dryRun) === 'client') {
    throw new VerbError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
  }
}

interface Applied {
  readonly object: ApiObject;
  readonly done: 'created' | 'configured' | 'unchanged' | 'serverside-applied';
}

/** @param enter told what is tried next, for the message if it fails */
async function send(
  context: Context,
  session: Session,
  placed: Placed,
  flags: ApplyFlags,
  enter: (stage: string) => void,
): Promise<Applied> {
  const { resource, namespace } = placed;
  const name = placed.object.metadata?.name;
  if (name === undefined) {
    const prefix = placed.object.metadata?.generateName;
    throw new VerbError(
      prefix === undefined ? 'resource name may not be empty' : `from ${prefix}: cannot use generate name with apply`,
    );
  }
  const strategy = dryRunOf(flags.dryRun);
  if (flags.serverSide === true) {
    enter('applying');
    return { object: await sendServerSide(session, placed, flags), done: 'serverside-applied' };
  }
  const object = annotated(placed.object);
  const options = {
    ...scopeOf(namespace),
    dryRun: strategy === 'server',
    fieldManager: FIELD_MANAGER,
    fieldValidation: fieldValidationOf(flags.validate),
  };
  const live = await currentOf(session, placed, name);
  if (live === undefined) {
    if (strategy === 'client') return { object, done: 'created' };
    enter('creating');
    return { object: await session.client.create(resource, object, options), done: 'created' };
  }
  const last = lastAppliedOf(live);
  if (last === undefined && strategy !== 'client') {
    context.terminal.err(
      `Warning: resource ${resource.resource}/${name} is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by wherry apply. wherry apply should only be used on resources created declaratively by either wherry create --save-config or wherry apply. The missing annotation will be patched automatically.`,
    );
  }
  enter('patching');
  return patch(session, placed, { object, live, last: last ?? {}, name }, strategy, options);
}

function sendServerSide(session: Session, placed: Placed, flags: ApplyFlags): Promise<ApiObject> {
  return applyServerSide(session, placed, {
    fieldManager: flags.fieldManager ?? SERVER_SIDE_MANAGER,
    before: FIELD_MANAGER,
    force: flags.forceConflicts === true,
    dryRun: dryRunOf(flags.dryRun) === 'server',
    fieldValidation: fieldValidationOf(flags.validate),
  });
}

async function patch(
  session: Session,
  { resource }: Placed,
  { object, live, last, name }: { object: ApiObject; live: ApiObject; last: Json; name: string },
  strategy: DryRun,
  options: Parameters<Session['client']['patch']>[3],
): Promise<Applied> {
  const schema = facts.ofKind(resource.group, resource.version, resource.kind);
  const difference = threeWayPatch(last, object as Json, live as Json, schema);
  if (Object.keys(difference).length === 0) return { object: live, done: 'unchanged' };
  if (strategy === 'client') return { object, done: 'configured' };
  const type = schema === undefined ? 'merge' : 'strategic';
  const patched = await session.client.patch(resource, name, difference, { ...options, type });
  const isSame = patched.metadata?.resourceVersion === live.metadata?.resourceVersion;
  return { object: patched, done: isSame && strategy === 'none' ? 'unchanged' : 'configured' };
}

async function currentOf(
  session: Session,
  { resource, namespace }: Placed,
  name: string,
): Promise<ApiObject | undefined> {
  try {
    return await session.client.get(resource, name, scopeOf(namespace));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
