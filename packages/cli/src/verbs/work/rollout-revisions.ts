import {
  type ApiObject,
  type ControllerRevision,
  controllerOf,
  type Deployment,
  type PodTemplateSpec,
  resources,
} from '@wherry/api';
import type { Context } from '../../context.ts';
import { Outline } from '../../describers/outline.ts';
import { describeTemplate } from '../../describers/pod-template.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { report } from '../../kube/report.ts';
import type { Session } from '../../kube/session.ts';
import { fetchTarget, type Target } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { goJson } from '../../printers/go-json.ts';
import { displayName, parseOutput, printObjects } from '../../printers/printer.ts';
import { alignTabs } from '../../printers/tabs.ts';
import type { RolloutFlags } from '../rollout.ts';

const REVISION = 'deployment.kubernetes.io/revision';
const CHANGE_CAUSE = 'kubernetes.io/change-cause';
const TEMPLATE_HASH = 'pod-template-hash';
/** Annotations of a replica set that are about itself: they do not come back with a template. */
const OWN_ANNOTATIONS = [
  REVISION,
  'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
  'kubectl.kubernetes.io/last-applied-configuration',
];

interface Revision {
  readonly number: number;
  readonly cause: string | undefined;
  readonly template: PodTemplateSpec | undefined;
  /** What holds it: a replica set or a controller revision. */
  readonly holder: ApiObject;
}

/** Oldest first. */
async function revisionsOf(
  session: Session,
  { resource, namespace = '' }: Target,
  owner: ApiObject,
): Promise<readonly Revision[]> {
  const { client } = session;
  const isOwn = (one: ApiObject) => controllerOf(one.metadata)?.uid === owner.metadata?.uid;
  const byNumber = (a: Revision, b: Revision) => a.number - b.number;
  if (resource.kind === 'Deployment') {
    const { items } = await client.list(resources.replicasets, { namespace });
    return items
      .filter(isOwn)
      .map((holder) => ({
        number: Number(holder.metadata?.annotations?.[REVISION] ?? 0),
        cause: holder.metadata?.annotations?.[CHANGE_CAUSE],
        template: holder.spec?.template,
        holder,
      }))
      .sort(byNumber);
  }
  const { items } = await client.list(resources.controllerrevisions, { namespace });
  return items
    .filter(isOwn)
    .map((holder) => ({
      number: holder.revision,
      cause: holder.metadata?.annotations?.[CHANGE_CAUSE],
      template: (holder.data as { readonly spec?: { readonly template?: PodTemplateSpec } } | undefined)?.spec
        ?.template,
      holder,
    }))
    .sort(byNumber);
}

const KINDS = ['Deployment', 'DaemonSet', 'StatefulSet'];

export async function history(context: Context, session: Session, target: Target, flags: RolloutFlags): Promise<void> {
  const { resource, name } = target;
  if (!KINDS.includes(resource.kind)) {
    throw new VerbError(`no history viewer has been implemented for "${resource.kind}"`);
  }
  const revisions = await revisionsOf(session, target, await fetchTarget(session, target));
  const wanted = Number(flags.revision);
  const chosen = wanted === 0 ? revisions : revisions.filter(({ number }) => number === wanted);
  if (wanted !== 0 && chosen.length === 0) throw new VerbError(`unable to find the specified revision`);
  const format = parseOutput(flags.output);
  if (format.kind !== 'table') {
    const holders = chosen.map(({ holder }) => ({ resource, object: holder }));
    return context.terminal.write(printObjects(format, holders, holders.length === 1));
  }
  if (wanted !== 0) {
    context.terminal.out(`${displayName(resource, name)} with revision #${wanted}`);
    const outline = new Outline();
    describeTemplate(outline, chosen[0]?.template);
    return context.terminal.write(`${outline.text()}\n`);
  }
  const rows = chosen.map(({ number, cause }) => `${number}\t${cause ?? '<none>'}`);
  const text = alignTabs(['REVISION\tCHANGE-CAUSE', ...rows].join('\n'), { minWidth: 0, padding: 2 });
  context.terminal.out(`${displayName(resource, name)} \n${text}\n`);
}

export async function undo(context: Context, session: Session, target: Target, flags: RolloutFlags): Promise<void> {
  const { resource, name } = target;
  if (!KINDS.includes(resource.kind)) {
    throw new VerbError(`no rollbacker has been implemented for "${resource.kind}"`);
  }
  const owner = await fetchTarget<Deployment>(session, target);
  if (owner.spec?.paused === true) {
    throw new VerbError(
      `you cannot rollback a paused deployment; resume it first with 'wherry rollout resume' and try again`,
    );
  }
  const revisions = await revisionsOf(session, target, owner);
  const wanted = Number(flags.toRevision);
  const found = wanted === 0 ? revisions.at(-2) : revisions.find(({ number }) => number === wanted);
  if (found === undefined) {
    throw new VerbError(
      wanted === 0 && resource.kind !== 'Deployment'
        ? 'no last revision to roll back to'
        : wanted === 0
          ? `no rollout history found for ${resource.kind.toLowerCase()} "${name}"`
          : `unable to find specified revision ${wanted} in history`,
    );
  }
  if (resource.kind === 'Deployment') await undoDeployment(context, session, target, owner, found, flags);
  else await undoToControllerRevision(context, session, target, owner, found, flags);
}

async function undoDeployment(
  context: Context,
  session: Session,
  { resource, namespace = '', name }: Target,
  owner: Deployment,
  found: Revision,
  flags: RolloutFlags,
): Promise<void> {
  const { [TEMPLATE_HASH]: _, ...labels } = found.template?.metadata?.labels ?? {};
  const template = { ...found.template, metadata: { ...found.template?.metadata, labels } };
  if (goJson(template) === goJson(owner.spec?.template)) {
    const skipped = `skipped rollback (current template already matches revision ${found.number})`;
    return report(context, flags, resource, owner, skipped);
  }
  const kept = pick(owner.metadata?.annotations, (key) => OWN_ANNOTATIONS.includes(key));
  const restored = pick(found.holder.metadata?.annotations, (key) => !OWN_ANNOTATIONS.includes(key));
  const patch = [
    { op: 'replace', path: '/spec/template', value: template },
    { op: 'add', path: '/metadata/annotations', value: { ...kept, ...restored } },
  ];
  const strategy = dryRunOf(flags.dryRun);
  const options = { namespace, type: 'json', dryRun: strategy === 'server' } as const;
  const patched = strategy === 'client' ? owner : await session.client.patch<ApiObject>(resource, name, patch, options);
  await report(context, flags, resource, patched, 'rolled back');
}

/** A controller revision's data is itself the patch that brings it back. */
async function undoToControllerRevision(
  context: Context,
  session: Session,
  { resource, namespace = '', name }: Target,
  owner: ApiObject,
  found: Revision,
  flags: RolloutFlags,
): Promise<void> {
  const strategy = dryRunOf(flags.dryRun);
  const { data } = found.holder as ControllerRevision;
  const options = { namespace, type: 'strategic', dryRun: strategy === 'server' } as const;
  const patched = strategy === 'client' ? owner : await session.client.patch<ApiObject>(resource, name, data, options);
  await report(context, flags, resource, patched, 'rolled back');
}

function pick(
  annotations: Readonly<Record<string, string>> | undefined,
  isWanted: (key: string) => boolean,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => isWanted(key)));
}
