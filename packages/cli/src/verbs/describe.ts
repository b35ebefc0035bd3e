import { type ApiObject, type Event, resources } from '@wherry/api';
import type { CommandDefinition, Context } from '../context.ts';
import { describeAny } from '../describers/any.ts';
import { describeConfigMap, describeNode, describeSecret, describeService } from '../describers/cluster.ts';
import type { Describer } from '../describers/describer.ts';
import { Outline } from '../describers/outline.ts';
import { describePod } from '../describers/pod.ts';
import { describeDeployment, describeJob, describeReplicaSet } from '../describers/workloads.ts';
import type { DiscoveredResource } from '../kube/discovery.ts';
import { scopeOf } from '../kube/edit-objects.ts';
import { parseSelection, type Selection } from '../kube/selection.ts';
import { type Session, type TargetFlags, withSession, withTarget } from '../kube/session.ts';
import { ageText } from '../printers/age.ts';
import { lastMs } from './events.ts';

interface DescribeFlags extends TargetFlags {
  readonly selector?: string;
  readonly allNamespaces?: boolean;
}

const describers: Readonly<Record<string, Describer>> = {
  pods: describePod as Describer,
  nodes: describeNode as Describer,
  services: describeService as Describer,
  configmaps: describeConfigMap as Describer,
  secrets: describeSecret as Describer,
  'deployments.apps': describeDeployment as Describer,
  'replicasets.apps': describeReplicaSet as Describer,
  'jobs.batch': describeJob as Describer,
};

export const describeCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('describe'))
    .description('Tell all about objects, with what happened to them')
    .argument('<type>', 'type, or type/name')
    .argument('[names...]')
    .option('-l, --selector <labels>', 'label selector')
    .option('-A, --all-namespaces', 'across all namespaces')
    .action((type: string, names: readonly string[], flags: DescribeFlags) =>
      withSession(context, flags, async (session) => {
        let described = 0;
        for (const selection of await parseSelection([type, ...names], session.discovery)) {
          for (const object of await objectsOf(session, selection, flags)) {
            if (described++ > 0) context.terminal.out('\n');
            await context.terminal.write(await describe(context, session, selection.resource, object));
          }
        }
        if (described === 0) context.terminal.err(`No resources found in ${session.namespace} namespace.`);
      }),
    );
};

async function objectsOf(
  session: Session,
  { resource, name }: Selection,
  flags: DescribeFlags,
): Promise<readonly ApiObject[]> {
  const namespace = resource.namespaced && flags.allNamespaces !== true ? session.namespace : undefined;
  if (name !== undefined) return [await session.client.get(resource, name, scopeOf(namespace))];
  const selector = flags.selector === undefined ? {} : { labelSelector: flags.selector };
  return (await session.client.list(resource, { ...scopeOf(namespace), ...selector })).items;
}

async function describe(
  context: Context,
  session: Session,
  resource: DiscoveredResource,
  object: ApiObject,
): Promise<string> {
  const outline = new Outline();
  const { metadata } = object;
  outline
    .field('Name', metadata?.name)
    .field('Namespace', metadata?.namespace)
    .map('Labels', metadata?.labels)
    .map('Annotations', metadata?.annotations, ': ')
    .field('CreationTimestamp', metadata?.creationTimestamp)
    .field('Deletion', metadata?.deletionTimestamp);
  const describer =
    describers[resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`] ?? describeAny;
  const nowMs = context.clock.now();
  await describer(object, outline, { client: session.client, nowMs });
  describeEvents(outline, await eventsAbout(session, resource, object), nowMs);
  return outline.text();
}

async function eventsAbout(
  session: Session,
  { kind, namespaced }: DiscoveredResource,
  { metadata }: ApiObject,
): Promise<readonly Event[]> {
  const fields = [`involvedObject.name=${metadata?.name}`, `involvedObject.kind=${kind}`];
  // Kubelets write their node's name where the uid belongs: only namespaced objects are told apart by it.
  if (namespaced && metadata?.uid !== undefined) fields.push(`involvedObject.uid=${metadata.uid}`);
  const { items } = await session.client.list(resources.events, {
    ...scopeOf(metadata?.namespace),
    fieldSelector: fields.join(','),
  });
  return items.toSorted((a, b) => lastMs(a) - lastMs(b));
}

function describeEvents(outline: Outline, events: readonly Event[], nowMs: number): void {
  const rows = events.map((event) => {
    const { count = 1, firstTimestamp, type = '', reason = '', message = '', source } = event;
    const age = ageText(nowMs - lastMs(event));
    const seen = count > 1 ? `${age} (x${count} over ${ageText(nowMs - Date.parse(firstTimestamp ?? ''))})` : age;
    return [type, reason, seen, source?.component ?? event.reportingComponent ?? '', message.trim()];
  });
  outline.table('Events', ['Type', 'Reason', 'Age', 'From', 'Message'], rows);
}
