import { type Event, resources } from '@wherry/api';
import type { Context } from '../../context.ts';
import { lastMs, seenText } from '../../kube/event-times.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { ColumnAligner } from '../../printers/columns.ts';
import { parseOutput, printObjects } from '../../printers/printer.ts';
import type { EventFlags } from '../events.ts';

export function events(context: Context, flags: EventFlags): Promise<void> {
  const unknown = flags.types?.find((type) => !['normal', 'warning'].includes(type.toLowerCase()));
  if (unknown !== undefined) throw new VerbError(`valid --types are Normal or Warning, not "${unknown}"`);
  return withSession(context, flags, (session) => show(context, session, flags));
}

async function show(context: Context, session: Session, flags: EventFlags): Promise<void> {
  const scope = {
    ...(flags.allNamespaces === true ? {} : { namespace: session.namespace }),
    ...(await fieldSelector(session, flags)),
  };
  const list = await session.client.list(resources.events, scope);
  const wanted = list.items.filter((event) => isWanted(event, flags)).sort((a, b) => lastMs(a) - lastMs(b));
  const format = parseOutput(flags.output);
  if (format.kind !== 'table') {
    const resource = await session.discovery.find('events');
    const objects = wanted.map((object) => ({ resource, object: { apiVersion: 'v1', kind: 'Event', ...object } }));
    return context.terminal.write(printObjects(format, objects, false));
  }
  if (wanted.length === 0 && flags.watch !== true) {
    context.terminal.err(
      flags.allNamespaces === true ? 'No events found.' : `No events found in ${session.namespace} namespace.`,
    );
    return;
  }
  const heading = [
    ...(flags.allNamespaces === true ? ['NAMESPACE'] : []),
    'LAST SEEN',
    'TYPE',
    'REASON',
    'OBJECT',
    'MESSAGE',
  ];
  const aligner = new ColumnAligner();
  const rows = wanted.map((event) => row(context, event, flags));
  for (const line of aligner.align(flags.headers ? [heading, ...rows] : rows)) context.terminal.out(line);
  if (flags.watch !== true) return;
  const resourceVersion = list.metadata.resourceVersion ?? '';
  const { signal } = context;
  try {
    for await (const { type, object } of session.client.watch(resources.events, {
      ...scope,
      resourceVersion,
      signal,
    })) {
      if (type === 'DELETED' || !isWanted(object, flags)) continue;
      for (const line of aligner.align([row(context, object, flags)])) context.terminal.out(line);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = 130;
  }
}

async function fieldSelector(session: Session, flags: EventFlags): Promise<{ readonly fieldSelector?: string }> {
  if (flags.for === undefined) return {};
  const [type = '', name = ''] = flags.for.split('/');
  if (name === '') throw new VerbError('--for must be in resource/name form');
  const { kind } = await session.discovery.find(type);
  return { fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}` };
}

function isWanted({ type = '' }: Event, flags: EventFlags): boolean {
  return flags.types === undefined || flags.types.some((one) => one.toLowerCase() === type.toLowerCase());
}

function row(context: Context, event: Event, flags: EventFlags): readonly string[] {
  const { involvedObject: object } = event;
  return [
    ...(flags.allNamespaces === true ? [event.metadata?.namespace ?? ''] : []),
    seenText(event, context.clock.now()),
    event.type ?? '',
    event.reason ?? '',
    `${object?.kind ?? ''}/${object?.name ?? ''}`,
    (event.message ?? '').trim(),
  ];
}
