import { type ApiList, type ApiObject, StatusError, type Table } from '@wherry/api';
import { readBody } from '@wherry/client';
import type { Context } from '../../context.ts';
import { place, readManifests } from '../../kube/edit-objects.ts';
import { Problems } from '../../kube/problems.ts';
import { parseSelection, type Selection } from '../../kube/selection.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { alignColumns } from '../../printers/columns.ts';
import { displayName, type PrintedObject, parseOutput, printObjects } from '../../printers/printer.ts';
import { sortBy } from '../../printers/sort-by.ts';
import { tableCells } from '../../printers/table.ts';
import type { GetFlags } from '../get.ts';
import {
  includeObject,
  labelOptions,
  listOptions,
  requestPath,
  showsNamespaces,
  TABLE_ACCEPT,
} from './get-requests.ts';
import { watchObjects, watchTable } from './get-watch.ts';

const NOTHING_GIVEN = `You must specify the type of resource to get. Use "wherry api-resources" for a complete list of supported resources.

error: Required resource not specified.
Use "wherry explain <resource>" for a detailed description of that resource (e.g. wherry explain pods).
See 'wherry get -h' for help and examples`;

export function get(context: Context, args: readonly string[], flags: GetFlags): Promise<void> {
  return withSession(context, flags, async (session) => {
    if (flags.raw !== undefined) return printRaw(context, session, flags.raw);
    const selections = await selectionsOf(session, args, flags);
    const format = parseOutput(flags.output);
    const isWatch = flags.watch === true || flags.watchOnly === true;
    if (isWatch && new Set(selections.map(({ resource }) => resource.resource)).size > 1) {
      throw new VerbError('you may only specify a single resource type');
    }
    if (format.kind === 'table') return getTables(context, session, selections, flags, format.wide);
    if (isWatch) return watchObjects(context, session, selections, flags, format);
    const problems = new Problems(context);
    const objects: PrintedObject[] = [];
    for (const selection of selections) {
      const found = await problems.attempt(() => fetchObjects(session, selection, flags));
      objects.push(...(found ?? []));
    }
    if (flags.sortBy !== undefined) sortBy(objects, flags.sortBy, ({ object }) => object);
    const single = selections.length === 1 && selections[0]?.name !== undefined;
    if (objects.length === 0 && selections.every(({ name }) => name !== undefined)) return;
    const options = { managedFields: flags.showManagedFields === true, headers: flags.headers };
    await context.terminal.write(printObjects(format, objects, single, options));
  });
}

async function printRaw(context: Context, session: Session, path: string): Promise<void> {
  const response = await session.client.raw({ method: 'GET', path, signal: context.signal });
  for await (const chunk of response.body) await context.terminal.write(chunk);
}

async function selectionsOf(session: Session, args: readonly string[], flags: GetFlags): Promise<readonly Selection[]> {
  if (flags.filename !== undefined) {
    const manifests = await readManifests(flags.filename, flags.recursive);
    return Promise.all(
      manifests.map(async ({ object, source }) => {
        const { resource, namespace } = await place(session, object, source);
        return { resource, name: object.metadata?.name ?? '', ...(namespace === undefined ? {} : { namespace }) };
      }),
    );
  }
  if (args.length === 0) throw new VerbError(NOTHING_GIVEN, { plain: true });
  const selections = await parseSelection(args, session.discovery);
  if (
    flags.allNamespaces === true &&
    selections.some(({ name, resource }) => name !== undefined && resource.namespaced)
  ) {
    throw new VerbError('a resource cannot be retrieved by name across all namespaces');
  }
  return selections;
}

async function fetchObjects(session: Session, selection: Selection, flags: GetFlags): Promise<PrintedObject[]> {
  const { resource, name, namespace = session.namespace } = selection;
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  if (name !== undefined) {
    const object = await orNothing(flags, () => session.client.get(resource, name, { namespace }));
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
  const groups = [...Map.groupBy(selections, ({ resource }) => `${resource.resource}.${resource.group}`).values()];
  const showsKind = groups.length > 1 || flags.showKind === true;
  const problems = new Problems(context);
  let printed = 0;
  let failed = 0;
  let watched: Table | undefined;
  for (const group of groups) {
    const found: Table[] = [];
    for (const selection of group) {
      const table = await problems.attempt(async () => {
        const answer = await orNothing(flags, () => fetchTable(session, selection, flags));
        return answer ?? 'nothing';
      });
      if (table === undefined) failed++;
      else if (table !== 'nothing') found.push(table);
    }
    const [first] = found;
    if (first === undefined) continue;
    watched = first;
    const rows = found.flatMap((table) => table.rows);
    if (rows.length === 0 || flags.watchOnly === true || flags.watch === true) continue;
    if (flags.sortBy !== undefined) sortBy(rows, flags.sortBy, ({ object }) => object);
    const [{ resource } = {}] = group;
    const cells = tableCells(
      { ...first, rows },
      {
        wide,
        namePrefix: showsKind && resource !== undefined ? displayName(resource, '') : '',
        namespaces: showsNamespaces(flags, group),
        ...labelOptions(flags),
      },
    );
    if (printed++ > 0) context.terminal.out('');
    for (const line of alignColumns(flags.headers ? cells : cells.slice(1))) context.terminal.out(line);
  }
  if (flags.watch === true || flags.watchOnly === true) {
    if (watched !== undefined) await watchTable(context, session, selections, flags, wide, watched);
  } else if (printed === 0 && failed === 0 && flags.ignoreNotFound !== true) {
    context.terminal.err(
      flags.allNamespaces === true || selections.every(({ resource }) => !resource.namespaced)
        ? 'No resources found'
        : `No resources found in ${session.namespace} namespace.`,
    );
  }
}

async function fetchTable(session: Session, selection: Selection, flags: GetFlags): Promise<Table> {
  const path = requestPath(session, selection, flags, { includeObject: includeObject(flags) });
  const response = await session.client.raw({ method: 'GET', path, headers: { accept: TABLE_ACCEPT } });
  return JSON.parse((await readBody(response)).toString('utf8')) as Table;
}

async function orNothing<T>(flags: GetFlags, fetch: () => Promise<T>): Promise<T | undefined> {
  try {
    return await fetch();
  } catch (error) {
    if (flags.ignoreNotFound === true && error instanceof StatusError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}
