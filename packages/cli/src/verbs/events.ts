import { type Event, resources } from '@wherry/api';
import type { CommandDefinition, Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { type Session, type TargetFlags, withSession, withTarget } from '../kube/session.ts';
import { ageText } from '../printers/age.ts';
import { alignColumns } from '../printers/columns.ts';

interface EventFlags extends TargetFlags {
  readonly allNamespaces?: boolean;
  readonly for?: string;
  readonly types?: string;
  readonly watch?: boolean;
}

export const eventsCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('events'))
    .description('Show what happened, oldest first')
    .option('-A, --all-namespaces', 'across all namespaces')
    .option('--for <type/name>', 'only about this object')
    .option('--types <types>', 'only of these types, for example Warning')
    .option('-w, --watch', 'go on showing new events')
    .action((flags: EventFlags) => withSession(context, flags, (session) => events(context, session, flags)));
};

async function events(context: Context, session: Session, flags: EventFlags): Promise<void> {
  const scope = {
    ...(flags.allNamespaces === true ? {} : { namespace: session.namespace }),
    ...(await fieldSelector(session, flags)),
  };
  const list = await session.client.list(resources.events, scope);
  const wanted = list.items.filter((event) => isWanted(event, flags)).sort((a, b) => lastMs(a) - lastMs(b));
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
  for (const line of alignColumns([heading, ...wanted.map((event) => row(context, event, flags))]))
    context.terminal.out(line);
  if (flags.watch !== true) return;
  const resourceVersion = list.metadata.resourceVersion ?? '';
  try {
    for await (const { type, object } of session.client.watch(resources.events, {
      ...scope,
      resourceVersion,
      signal: context.signal,
    })) {
      if (type === 'DELETED' || !isWanted(object, flags)) continue;
      context.terminal.out(row(context, object, flags).join('   '));
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
}

async function fieldSelector(session: Session, flags: EventFlags): Promise<{ readonly fieldSelector?: string }> {
  if (flags.for === undefined) return {};
  const [type = '', name = ''] = flags.for.split('/');
  if (name === '') throw new Failure(`--for is "${flags.for}", must be type/name`);
  const { kind } = await session.discovery.find(type);
  return { fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}` };
}

function isWanted({ type = '' }: Event, flags: EventFlags): boolean {
  return flags.types === undefined || flags.types.toLowerCase().split(',').includes(type.toLowerCase());
}

function row(context: Context, event: Event, flags: EventFlags): readonly string[] {
  const { involvedObject: object, count = event.series?.count ?? 1 } = event;
  const last = ageText(context.clock.now() - lastMs(event));
  const first = ageText(context.clock.now() - Date.parse(event.firstTimestamp ?? event.eventTime ?? ''));
  return [
    ...(flags.allNamespaces === true ? [event.metadata?.namespace ?? ''] : []),
    count > 1 ? `${last} (x${count} over ${first})` : last,
    event.type ?? '',
    event.reason ?? '',
    `${object?.kind ?? ''}/${object?.name ?? ''}`,
    (event.message ?? '').trim(),
  ];
}

export function lastMs(event: Event): number {
  const text =
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp;
  return Date.parse(text ?? '');
}
