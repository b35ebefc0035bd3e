import { type ApiObject, type Event, isNotFound, resources } from '@wherry/api';
import type { Context } from '../../context.ts';
import { describeGeneric } from '../../describers/generic.ts';
import { describers, withoutEvents } from '../../describers/index.ts';
import { Outline } from '../../describers/outline.ts';
import type { DiscoveredResource } from '../../kube/discovery.ts';
import { scopeOf } from '../../kube/edit-objects.ts';
import { lastMs, seenText } from '../../kube/event-times.ts';
import { Problems } from '../../kube/problems.ts';
import { parseSelection } from '../../kube/selection.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fetchTarget, type Target, targetsOf } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { DescribeFlags } from '../describe.ts';

export function describeAll(context: Context, args: readonly string[], flags: DescribeFlags): Promise<void> {
  if (args.length === 0 && flags.filename === undefined) {
    throw new VerbError(
      'You must specify the type of resource to describe. Use "wherry api-resources" for a complete list of supported resources.',
    );
  }
  return withSession(context, flags, async (session) => {
    const problems = new Problems(context);
    let described = 0;
    let failed = 0;
    for (const target of await describeTargets(session, args, flags)) {
      const texts = await problems.attempt(async () => {
        const objects = await objectsOf(session, target);
        return Promise.all(objects.map((object) => describe(context, session, target.resource, object, flags)));
      });
      if (texts === undefined) failed++;
      for (const text of texts ?? []) {
        if (described++ > 0) await context.terminal.write('\n\n');
        await context.terminal.write(text);
      }
    }
    if (described + failed > 0) return;
    context.terminal.err(
      flags.allNamespaces === true ? 'No resources found' : `No resources found in ${session.namespace} namespace.`,
    );
  });
}

async function describeTargets(
  session: Session,
  args: readonly string[],
  flags: DescribeFlags,
): Promise<readonly Target[]> {
  if (flags.filename !== undefined) return targetsOf(session, args, flags);
  const selections = await parseSelection(args, session.discovery);
  const isWhole = selections.some(({ name }) => name === undefined);
  return targetsOf(session, args, isWhole && flags.selector === undefined ? { ...flags, all: true } : flags);
}

/** The object of the name, or else all whose names begin so. */
async function objectsOf(session: Session, target: Target): Promise<readonly ApiObject[]> {
  try {
    return [await fetchTarget(session, target)];
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const { items } = await session.client.list(target.resource, scopeOf(target.namespace));
    const found = items.filter(({ metadata }) => metadata?.name?.startsWith(target.name) === true);
    if (found.length === 0) throw error;
    const { group, version, kind } = target.resource;
    return found.map((item) => ({ apiVersion: group === '' ? version : `${group}/${version}`, kind, ...item }));
  }
}

async function describe(
  context: Context,
  session: Session,
  resource: DiscoveredResource,
  object: ApiObject,
  flags: DescribeFlags,
): Promise<string> {
  const outline = new Outline();
  const nowMs = context.clock.now();
  const key = resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`;
  const describer = describers[key] ?? describeGeneric;
  await describer(object, outline, { client: session.client, nowMs });
  if (String(flags.showEvents) === 'true' && !withoutEvents.has(key)) {
    describeEvents(outline, await eventsAbout(session, resource, object), nowMs);
  }
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
    const { type = '', reason = '', message = '', source } = event;
    const from = source?.component ?? event.reportingComponent ?? '';
    return [type, reason, seenText(event, nowMs), from, message.trim()];
  });
  if (rows.length === 0) outline.field('Events', '<none>');
  else {
    // kubectl's rule below Age is one longer than the word.
    const rule = ['----', '------', '----', '----', '-------'];
    outline.block('Events', (inner) => {
      inner.row('Type', 'Reason', 'Age', 'From', 'Message').row(...rule);
      for (const row of rows) inner.row(...row);
    });
  }
}
