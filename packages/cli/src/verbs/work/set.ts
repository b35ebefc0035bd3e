import type { ApiObject, Container, EnvVar, PodSpec } from '@wherry/api';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { scopeOf } from '../../kube/edit-objects.ts';
import { parseLabelPairs } from '../../kube/label-pairs.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fetchTarget, type Target, targetsOf } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { SetEnvFlags, SetFlags, SetResourcesFlags } from '../set.ts';

/** The new containers, init containers or service account; undefined when nothing is to change. */
type Change = (spec: PodSpec) => Readonly<Record<string, unknown>> | undefined;

export function setImage(context: Context, words: readonly string[], flags: SetFlags): Promise<void> {
  const images = new Map(words.filter((word) => word.includes('=')).map(split));
  if (images.size === 0) throw new VerbError('at least one image update is required');
  const change: Change = (spec) => {
    const all = [...(spec.initContainers ?? []), ...spec.containers];
    const unknown = [...images.keys()].find((key) => key !== '*' && !all.some(({ name }) => name === key));
    if (unknown !== undefined) throw new VerbError(`unable to find container named "${unknown}"`);
    return eachContainer(spec, ({ name, image }) => {
      const wanted = images.get(name) ?? images.get('*');
      return wanted === undefined || wanted === image ? undefined : { image: wanted };
    });
  };
  return update(
    context,
    words.filter((word) => !word.includes('=')),
    flags,
    'image updated',
    change,
  );
}

export function setEnv(context: Context, words: readonly string[], flags: SetEnvFlags): Promise<void> {
  const isVariable = (word: string) => word.includes('=') || (word.endsWith('-') && word.length > 1);
  const variables = [...words.filter(isVariable), ...(flags.env ?? [])];
  const names = words.filter((word) => !isVariable(word));
  if (flags.list === true) return listEnv(context, names, flags);
  if (variables.length === 0) throw new VerbError('at least one environment variable must be provided');
  const set = new Map(variables.filter((word) => word.includes('=')).map(split));
  const removed = variables.filter((word) => !word.includes('=')).map((word) => word.slice(0, -1));
  return update(context, names, flags, 'env updated', (spec) =>
    eachContainer(spec, (container) => {
      if (!isChosen(container, flags.containers)) return undefined;
      const has = (name: string) => container.env?.some((one) => one.name === name) === true;
      const clash = [...set.keys()].find(has);
      if (!flags.overwrite && clash !== undefined) {
        throw new VerbError(`'${clash}' already has a value, and --overwrite is false`);
      }
      const changes = [
        // A value in place of a reference takes its place.
        ...[...set].map(([name, value]) => ({ name, value, valueFrom: null })),
        ...removed.filter(has).map((name) => ({ $patch: 'delete', name })),
      ];
      return changes.length === 0 ? undefined : { env: changes };
    }),
  );
}

function listEnv(context: Context, names: readonly string[], flags: SetEnvFlags): Promise<void> {
  return withSession(context, flags, async (session) => {
    for (const target of await targetsOf(session, names, flags)) {
      const { spec } = templateOf(await fetchTarget(session, target), target);
      for (const container of spec.containers.filter((one) => isChosen(one, flags.containers))) {
        context.terminal.out(`# ${target.resource.kind} ${target.name}, container ${container.name}`);
        for (const one of container.env ?? []) context.terminal.out(variableText(one));
      }
    }
  });
}

function variableText({ name, value, valueFrom }: EnvVar): string {
  if (valueFrom?.configMapKeyRef !== undefined) {
    return `# ${name} from configmap ${valueFrom.configMapKeyRef.name}, key ${valueFrom.configMapKeyRef.key}`;
  }
  if (valueFrom?.secretKeyRef !== undefined) {
    return `# ${name} from secret ${valueFrom.secretKeyRef.name}, key ${valueFrom.secretKeyRef.key}`;
  }
  if (valueFrom?.fieldRef !== undefined) return `# ${name} from field path ${valueFrom.fieldRef.fieldPath}`;
  if (valueFrom?.resourceFieldRef !== undefined)
    return `# ${name} from resource field ${valueFrom.resourceFieldRef.resource}`;
  return `${name}=${value ?? ''}`;
}

export function setResources(context: Context, words: readonly string[], flags: SetResourcesFlags): Promise<void> {
  if (flags.limits === undefined && flags.requests === undefined) {
    throw new VerbError('you must specify an update to requests or limits (in the form of --requests/--limits)');
  }
  const amounts = (text: string | undefined) => (text === undefined ? undefined : parseLabelPairs(text.split(',')));
  const resources = { limits: amounts(flags.limits), requests: amounts(flags.requests) };
  return update(context, words, flags, 'resource requirements updated', (spec) =>
    eachContainer(spec, (container) => (isChosen(container, flags.containers) ? { resources } : undefined)),
  );
}

export function setServiceAccount(context: Context, words: readonly string[], flags: SetFlags): Promise<void> {
  const name = words.at(-1);
  if (name === undefined || (words.length < 2 && flags.filename === undefined))
    throw new VerbError('serviceaccount is required');
  return update(context, words.slice(0, -1), flags, 'serviceaccount updated', () => ({ serviceAccountName: name }));
}

function eachContainer(
  spec: PodSpec,
  change: (container: Container) => Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  const patchOf = (containers: readonly Container[] | undefined) =>
    (containers ?? []).flatMap((container) => {
      const patch = change(container);
      return patch === undefined ? [] : [{ name: container.name, ...patch }];
    });
  const [containers, initContainers] = [patchOf(spec.containers), patchOf(spec.initContainers)];
  if (containers.length + initContainers.length === 0) return undefined;
  return {
    ...(containers.length === 0 ? {} : { containers }),
    ...(initContainers.length === 0 ? {} : { initContainers }),
  };
}

function isChosen({ name }: Container, wanted: string): boolean {
  return wanted === '*' || wanted.split(',').includes(name);
}

function update(
  context: Context,
  names: readonly string[],
  flags: SetFlags,
  done: string,
  change: Change,
): Promise<void> {
  return withSession(context, flags, async (session) => {
    const problems = new Problems(context);
    for (const target of await targetsOf(session, names, flags)) {
      await problems.attempt(() => updateOne(context, session, target, flags, done, change));
    }
  });
}

async function updateOne(
  context: Context,
  session: Session,
  target: Target,
  flags: SetFlags,
  done: string,
  change: Change,
): Promise<void> {
  const object = await fetchTarget(session, target);
  const { spec, wrap } = templateOf(object, target);
  const changes = change(spec);
  if (changes === undefined) return;
  const strategy = dryRunOf(flags.dryRun);
  const options = { ...scopeOf(target.namespace), type: 'strategic', dryRun: strategy === 'server' } as const;
  const changed =
    strategy === 'client'
      ? object
      : await session.client.patch<ApiObject>(target.resource, target.name, wrap(changes), options);
  await report(context, flags, target.resource, changed, done);
}

/** Where a kind keeps the pod it makes, and how a patch of that is wrapped. */
function templateOf(object: ApiObject, { resource, name }: Target) {
  const { spec } = object as {
    readonly spec?: PodSpec & {
      readonly template?: { readonly spec?: PodSpec };
      readonly jobTemplate?: { readonly spec?: { readonly template?: { readonly spec?: PodSpec } } };
    };
  };
  if (resource.kind === 'Pod' && spec !== undefined) return { spec, wrap: (patch: unknown) => ({ spec: patch }) };
  const template = spec?.template?.spec;
  if (template !== undefined)
    return { spec: template, wrap: (patch: unknown) => ({ spec: { template: { spec: patch } } }) };
  const inner = spec?.jobTemplate?.spec?.template?.spec;
  if (inner !== undefined) {
    return {
      spec: inner,
      wrap: (patch: unknown) => ({ spec: { jobTemplate: { spec: { template: { spec: patch } } } } }),
    };
  }
  throw new VerbError(`${resource.resource}/${name} has no pod template`);
}

function split(word: string): readonly [string, string] {
  const equals = word.indexOf('=');
  return [word.slice(0, equals), word.slice(equals + 1)];
}
