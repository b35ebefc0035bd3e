import { type ApiObject, facts, isNotFound } from '@wherry/api';
import { threeWayPatch } from '../apply/three-way.ts';
import type { CommandDefinition, Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { type Placed, place, readManifests, scopeOf } from '../kube/edit-objects.ts';
import { type Session, type TargetFlags, withSession, withTarget } from '../kube/session.ts';
import { displayName, parseOutput, printObjects } from '../printers/printer.ts';
import { type DryRun, dryRunOf, dryRunSuffix } from './create.ts';

interface ApplyFlags extends TargetFlags {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
  readonly dryRun?: string;
  readonly output?: string;
}
type Json = Readonly<Record<string, unknown>>;

/** kubectl's own: the two can take turns on one object. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const FIELD_MANAGER = 'wherry-client-side-apply';

export const applyCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('apply'))
    .description('Make the cluster be as the manifests say: creates what is missing, patches what differs')
    .requiredOption('-f, --filename <path...>', 'file, folder or - for standard input')
    .option('-R, --recursive', 'also folders within folders')
    .option('--dry-run <strategy>', 'none, server (send without storing) or client (only print)', 'none')
    .option('-o, --output <format>', 'json, yaml, name, …')
    .action(async (flags: ApplyFlags) => {
      const manifests = await readManifests(flags.filename, process.stdin, flags.recursive);
      await withSession(context, flags, async (session) => {
        for (const manifest of manifests) await applyOne(context, session, await place(session, manifest), flags);
      });
    });
};

async function applyOne(context: Context, session: Session, placed: Placed, flags: ApplyFlags): Promise<void> {
  const { resource } = placed;
  const strategy = dryRunOf(flags.dryRun);
  if (placed.object.metadata?.name === undefined)
    throw new Failure('error: apply needs names: generateName works only with create');
  const { object, done } = await send(session, placed, strategy);
  const format = parseOutput(flags.output);
  if (format.kind !== 'table') await context.terminal.write(printObjects(format, [{ resource, object }], true));
  else context.terminal.out(`${displayName(resource, object.metadata?.name ?? '')} ${done}${dryRunSuffix(strategy)}`);
}

interface Applied {
  readonly object: ApiObject;
  readonly done: 'created' | 'configured' | 'unchanged';
}

async function send(session: Session, placed: Placed, strategy: DryRun): Promise<Applied> {
  const { resource, namespace } = placed;
  const object = annotated(placed.object);
  const options = { ...scopeOf(namespace), dryRun: strategy === 'server', fieldManager: FIELD_MANAGER };
  const live = await currentOf(session, placed);
  if (live === undefined) {
    if (strategy === 'client') return { object, done: 'created' };
    return { object: await session.client.create(resource, object, options), done: 'created' };
  }
  const schema = facts.ofKind(resource.group, resource.version, resource.kind);
  const patch = threeWayPatch(lastAppliedOf(live), object as Json, live as Json, schema);
  if (Object.keys(patch).length === 0) return { object: live, done: 'unchanged' };
  if (strategy === 'client') return { object, done: 'configured' };
  const type = schema === undefined ? 'merge' : 'strategic';
  const patched = await session.client.patch(resource, object.metadata?.name ?? '', patch, { ...options, type });
  const same = patched.metadata?.resourceVersion === live.metadata?.resourceVersion;
  return { object: patched, done: same && strategy === 'none' ? 'unchanged' : 'configured' };
}

async function currentOf(session: Session, { resource, namespace, object }: Placed): Promise<ApiObject | undefined> {
  try {
    return await session.client.get(resource, object.metadata?.name ?? '', scopeOf(namespace));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The manifest with itself as annotation, for the next apply to see what has been dropped. */
function annotated(manifest: ApiObject): ApiObject {
  const { [LAST_APPLIED]: _, ...annotations } = manifest.metadata?.annotations ?? {};
  const plain = { ...manifest, metadata: { ...manifest.metadata, annotations } };
  const text = `${JSON.stringify(plain)}\n`;
  return { ...plain, metadata: { ...plain.metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } };
}

function lastAppliedOf(live: ApiObject): Json {
  const text = live.metadata?.annotations?.[LAST_APPLIED];
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new Failure(`the annotation ${LAST_APPLIED} of ${live.metadata?.name} is no JSON`, { cause });
  }
}
