import { type ApiList, type ApiObject, objectKey, StatusError, type Table } from '@wherry/api';
import { collectionPath, type ListOptions, lines, objectPath, readBody } from '@wherry/client';
import type { CommandDefinition, Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { parseSelection, type Selection } from '../kube/selection.ts';
import { type Session, type TargetFlags, withSession, withTarget } from '../kube/session.ts';
import { valuesAt, valueText } from '../printers/json-path.ts';
import { displayName, OUTPUT_HELP, type PrintedObject, parseOutput, printObjects } from '../printers/printer.ts';
import { tableLines } from '../printers/table.ts';

interface GetFlags extends TargetFlags {
  readonly allNamespaces?: boolean;
  readonly output?: string;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly showLabels?: boolean;
  readonly labelColumns?: string;
  readonly headers: boolean;
  readonly watch?: boolean;
  readonly sortBy?: string;
  readonly ignoreNotFound?: boolean;
}

const TABLE_ACCEPT = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

export const getCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('get'))
    .description('Show objects: wherry get pods, get deploy/web -o yaml, get all -A')
    .argument('<type>', 'type, type/name or a category such as all')
    .argument('[names...]')
    .option('-A, --all-namespaces', 'across all namespaces')
    .option('-o, --output <format>', OUTPUT_HELP)
    .option('-l, --selector <labels>', 'label selector, for example app=web,tier!=db')
    .option('--field-selector <fields>', 'field selector, for example status.phase=Running')
    .option('--show-labels', 'add a column with the labels')
    .option('-L, --label-columns <keys>', 'add columns with these labels')
    .option('--no-headers', 'leave the headings out')
    .option('-w, --watch', 'go on showing changes')
    .option('--sort-by <path>', 'sort by a JSONPath, for example .metadata.name')
    .option('--ignore-not-found', 'a missing object is no error')
    .action((type: string, names: readonly string[], flags: GetFlags) =>
      withSession(context, flags, (session) => get(context, session, [type, ...names], flags)),
    );
};

async function get(context: Context, session: Session, args: readonly string[], flags: GetFlags): Promise<void> {
  const selections = await parseSelection(args, session.discovery);
  const format = parseOutput(flags.output);
  if (format.kind === 'table') {
    await getTables(context, session, selections, flags, format.wide);
    return;
  }
  const objects = (await Promise.all(selections.map((selection) => fetchObjects(session, selection, flags)))).flat();
  if (flags.sortBy !== undefined) sortBy(objects, flags.sortBy, ({ object }) => object);
  const single = selections.length === 1 && selections[0]?.name !== undefined;
  if (single && objects.length === 0) return;
  await context.terminal.write(printObjects(format, objects, single));
  if (flags.watch === true) throw new Failure('--watch shows tables only: leave --output out');
}

async function fetchObjects(session: Session, selection: Selection, flags: GetFlags): Promise<PrintedObject[]> {
  const { resource, name } = selection;
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  if (name !== undefined) {
    const object = await orNothing(flags, () => session.client.get(resource, name, { namespace: session.namespace }));
    return object === undefined ? [] : [{ resource, object }];
  }
  const list: ApiList<ApiObject> = await session.client.list(resource, listOptions(session, flags));
  return list.items.map((item) => ({ resource, object: { apiVersion, kind: resource.kind, ...item } }));
}

async function getTables(
  context: Context,
  session: Session,
  selections: readonly Selection[],
  flags: GetFlags,
  wide: boolean,
): Promise<void> {
  const several = new Set(selections.map(({ resource }) => resource.resource)).size > 1;
  let printed = 0;
  let resourceVersion = '';
  for (const group of grouped(selections)) {
    const tables = await Promise.all(
      group.map((selection) => orNothing(flags, () => fetchTable(session, selection, flags))),
    );
    const found = tables.filter((table) => table !== undefined);
    const [first] = found;
    if (first === undefined) continue;
    resourceVersion = first.metadata.resourceVersion ?? '';
    const table: Table = { ...first, rows: found.flatMap(({ rows }) => rows) };
    if (table.rows.length === 0) continue;
    const rows = [...table.rows];
    const { sortBy: path } = flags;
    if (path !== undefined) sortBy(rows, path, ({ object }) => object);
    const [{ resource } = {}] = group;
    const namePrefix = several && resource !== undefined ? displayName(resource, '') : '';
    const lines = tableLines(
      { ...table, rows },
      { wide, namePrefix, namespaces: showsNamespaces(flags, group), ...labelOptions(flags) },
    );
    if (printed++ > 0) context.terminal.out('');
    for (const line of flags.headers ? lines : lines.slice(1)) context.terminal.out(line);
  }
  if (flags.watch === true) await watchTable(context, session, selections, flags, wide, resourceVersion);
  else if (printed === 0 && flags.ignoreNotFound !== true) {
    context.terminal.err(
      flags.allNamespaces === true || selections.every(({ resource }) => !resource.namespaced)
        ? 'No resources found'
        : `No resources found in ${session.namespace} namespace.`,
    );
  }
}

async function watchTable(
  context: Context,
  session: Session,
  selections: readonly Selection[],
  flags: GetFlags,
  wide: boolean,
  resourceVersion: string,
): Promise<void> {
  const [selection, ...others] = selections;
  if (selection === undefined || others.length > 0)
    throw new Failure('--watch follows one type, or one object, at a time');
  const path = selectionPath(
    session,
    selection,
    flags,
    { watch: 'true', resourceVersion, includeObject: 'Object' },
    selection.name,
  );
  const response = await session.client.raw({
    method: 'GET',
    path,
    headers: { accept: TABLE_ACCEPT },
    signal: context.signal,
  });
  try {
    let columns: Table['columnDefinitions'] = [];
    for await (const line of lines(response.body)) {
      const event = JSON.parse(line.toString('utf8')) as { readonly type: string; readonly object: Table };
      if (event.type === 'ERROR')
        throw new StatusError(event.object as unknown as ConstructorParameters<typeof StatusError>[0]);
      if (event.type === 'BOOKMARK') continue;
      // The server describes the columns once, in the first event.
      if ((event.object.columnDefinitions?.length ?? 0) > 0) columns = event.object.columnDefinitions;
      const table = { ...event.object, columnDefinitions: columns };
      const shown = tableLines(table, {
        wide,
        namePrefix: '',
        namespaces: showsNamespaces(flags, [selection]),
        ...labelOptions(flags),
      });
      for (const row of shown.slice(1)) context.terminal.out(row);
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
}

async function fetchTable(session: Session, selection: Selection, flags: GetFlags): Promise<Table> {
  const { resource, name } = selection;
  const path =
    name === undefined
      ? selectionPath(session, selection, flags, { includeObject: flags.sortBy === undefined ? 'Metadata' : 'Object' })
      : `${objectPath(resource, name, session.namespace)}?includeObject=${flags.sortBy === undefined ? 'Metadata' : 'Object'}`;
  const response = await session.client.raw({ method: 'GET', path, headers: { accept: TABLE_ACCEPT } });
  return JSON.parse((await readBody(response)).toString('utf8')) as Table;
}

function selectionPath(
  session: Session,
  { resource }: Selection,
  flags: GetFlags,
  query: Readonly<Record<string, string>>,
  name?: string,
): string {
  const { namespace, labelSelector, fieldSelector } = listOptions(session, flags);
  const fields = name === undefined ? fieldSelector : `metadata.name=${name}`;
  const parameters = new URLSearchParams(query);
  if (labelSelector !== undefined) parameters.set('labelSelector', labelSelector);
  if (fields !== undefined) parameters.set('fieldSelector', fields);
  return `${collectionPath(resource, namespace)}?${parameters}`;
}

function listOptions(session: Session, flags: GetFlags): ListOptions {
  return {
    ...(flags.allNamespaces === true ? {} : { namespace: session.namespace }),
    ...(flags.selector === undefined ? {} : { labelSelector: flags.selector }),
    ...(flags.fieldSelector === undefined ? {} : { fieldSelector: flags.fieldSelector }),
  };
}

function labelOptions(flags: GetFlags): { readonly showLabels: boolean; readonly labelColumns: readonly string[] } {
  return { showLabels: flags.showLabels === true, labelColumns: flags.labelColumns?.split(',') ?? [] };
}

function showsNamespaces(flags: GetFlags, group: readonly Selection[]): boolean {
  return flags.allNamespaces === true && group[0]?.resource.namespaced === true;
}

function grouped(selections: readonly Selection[]): readonly (readonly Selection[])[] {
  return [...Map.groupBy(selections, ({ resource }) => `${resource.resource}.${resource.group}`).values()];
}

async function orNothing<T>(flags: GetFlags, fetch: () => Promise<T>): Promise<T | undefined> {
  try {
    return await fetch();
  } catch (error) {
    if (flags.ignoreNotFound === true && error instanceof StatusError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}

function sortBy<T>(items: T[], path: string, objectOf: (item: T) => unknown): void {
  const value = (item: T) => valuesAt(path, objectOf(item))[0];
  items.sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (typeof left === 'number' && typeof right === 'number') return left - right;
    return (
      valueText(left).localeCompare(valueText(right)) ||
      objectKey(objectOf(a) as ApiObject).localeCompare(objectKey(objectOf(b) as ApiObject))
    );
  });
}
