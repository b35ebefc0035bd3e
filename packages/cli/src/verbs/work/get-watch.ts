import { type ApiObject, type Status, StatusError, type Table } from '@wherry/api';
import { lines } from '@wherry/client';
import type { Context } from '../../context.ts';
import type { Selection } from '../../kube/selection.ts';
import type { Session } from '../../kube/session.ts';
import { ColumnAligner } from '../../printers/columns.ts';
import { displayName, type OutputFormat, printObjects } from '../../printers/printer.ts';
import { tableCells } from '../../printers/table.ts';
import type { GetFlags } from '../get.ts';
import { includeObject, labelOptions, listOptions, showsNamespaces, TABLE_ACCEPT, watchPath } from './get-requests.ts';

interface Change<T> {
  readonly type: string;
  readonly object: T;
}

/** Shows the rows there are, then a row for each change, until Ctrl-C. */
export async function watchTable(
  context: Context,
  session: Session,
  selections: readonly Selection[],
  flags: GetFlags,
  wide: boolean,
  first: Table,
): Promise<void> {
  const [selection] = selections;
  if (selection === undefined) return;
  const aligner = new ColumnAligner();
  let columns = first.columnDefinitions;
  let hasHeading = !flags.headers;
  const print = (table: Table, type: string): void => {
    const cells = tableCells(table, {
      wide,
      namePrefix: flags.showKind === true ? displayName(selection.resource, '') : '',
      namespaces: showsNamespaces(flags, [selection]),
      ...labelOptions(flags),
    });
    const withEvents =
      flags.outputWatchEvents === true ? cells.map((row, index) => [index === 0 ? 'EVENT' : type, ...row]) : cells;
    if (withEvents.length === 1) return;
    for (const line of aligner.align(hasHeading ? withEvents.slice(1) : withEvents)) context.terminal.out(line);
    hasHeading = true;
  };
  if (flags.watchOnly !== true) print(first, 'ADDED');
  const resourceVersion = first.metadata.resourceVersion ?? '';
  const changes = changesOf<Table>(context, session, selection, flags, resourceVersion, TABLE_ACCEPT);
  for await (const { type, object } of changes) {
    // The server describes the columns once, in the first event.
    if ((object.columnDefinitions?.length ?? 0) > 0) columns = object.columnDefinitions;
    print({ ...object, columnDefinitions: columns }, type);
  }
}

/** As `watchTable`, in a format that prints whole objects. */
export async function watchObjects(
  context: Context,
  session: Session,
  selections: readonly Selection[],
  flags: GetFlags,
  format: Exclude<OutputFormat, { readonly kind: 'table' }>,
): Promise<void> {
  const [selection] = selections;
  if (selection === undefined) return;
  const { resource, name, namespace = session.namespace } = selection;
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  let printed = 0;
  const print = (object: ApiObject): Promise<void> => {
    const typed = { apiVersion, kind: resource.kind, ...object };
    const separator = format.kind === 'yaml' && printed > 0 ? '---\n' : '';
    const options = { managedFields: flags.showManagedFields === true, headers: flags.headers && printed === 0 };
    printed++;
    return context.terminal.write(separator + printObjects(format, [{ resource, object: typed }], true, options));
  };
  const options =
    name === undefined ? listOptions(session, flags) : { namespace, fieldSelector: `metadata.name=${name}` };
  const list = await session.client.list(resource, options);
  if (flags.watchOnly !== true) for (const item of list.items) await print(item);
  const resourceVersion = list.metadata.resourceVersion ?? '';
  const changes = changesOf<ApiObject>(context, session, selection, flags, resourceVersion, 'application/json');
  for await (const { object } of changes) await print(object);
}

async function* changesOf<T>(
  context: Context,
  session: Session,
  selection: Selection,
  flags: GetFlags,
  resourceVersion: string,
  accept: string,
): AsyncGenerator<Change<T>> {
  const path = watchPath(session, selection, flags, {
    watch: 'true',
    resourceVersion,
    includeObject: includeObject(flags),
  });
  const { signal } = context;
  try {
    const response = await session.client.raw({ method: 'GET', path, headers: { accept }, signal });
    for await (const line of lines(response.body)) {
      const change = JSON.parse(line.toString('utf8')) as Change<T>;
      if (change.type === 'ERROR') throw new StatusError(change.object as unknown as Status);
      if (change.type !== 'BOOKMARK') yield change;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    // Ctrl-C is how a watch ends; the shell's code for it is the caller's to set.
    process.exitCode = 130;
  }
}
