import type { Context } from '../../context.ts';
import type { DiscoveredResource } from '../../kube/discovery.ts';
import { OpenApi, type OpenApiSchema } from '../../kube/open-api.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { ExplainFlags } from '../api.ts';

/** Width of descriptions, their indent included. */
const WIDTH = 80;

export function explain(context: Context, text: string, flags: ExplainFlags): Promise<void> {
  const [type = '', ...fields] = text.split('.');
  return withSession(context, flags, async (session) => {
    const resource = await typeOf(session, type, flags.apiVersion);
    const api = await OpenApi.load(session, resource);
    const root = api.ofKind(resource);
    if (root === undefined)
      throw new VerbError(`couldn't find resource for "${resource.group}/${resource.version}, Kind=${resource.kind}"`);
    const lines = [
      ...(resource.group === '' ? [] : [`GROUP:      ${resource.group}`]),
      `KIND:       ${resource.kind}`,
      `VERSION:    ${resource.version}`,
      '',
    ];
    context.terminal.out(lines.join('\n'));
    const { schema, last } = follow(api, root, fields);
    context.terminal.out(described(api, schema, last, flags.recursive === true).join('\n'));
  });
}

async function typeOf(session: Session, type: string, apiVersion: string | undefined): Promise<DiscoveredResource> {
  const resource = await session.discovery.find(type);
  if (apiVersion === undefined) return resource;
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const found = (await session.discovery.all()).find(
    (one) => one.group === group && one.version === version && one.kind === resource.kind,
  );
  if (found === undefined) {
    throw new VerbError(`couldn't find resource for "${apiVersion}, Kind=${resource.kind}"`);
  }
  return found;
}

/** The schema at the end of a path of fields, and the name of the last. */
function follow(
  api: OpenApi,
  root: OpenApiSchema,
  fields: readonly string[],
): { schema: OpenApiSchema; last: string | undefined } {
  let schema = root;
  for (const field of fields) {
    const next = api.inner(schema).schema.properties?.[field];
    if (next === undefined) throw new VerbError(`field "${field}" does not exist`);
    schema = next;
  }
  return { schema, last: fields.at(-1) };
}

function described(
  api: OpenApi,
  schema: OpenApiSchema,
  field: string | undefined,
  isRecursive: boolean,
): readonly string[] {
  const inner = api.inner(schema);
  const lines: string[] = [];
  if (field !== undefined)
    lines.push(`FIELD: ${field} <${api.typeName(schema)}>`, ...enumLines(inner.schema, '    '), '', '');
  const description = schema.description ?? inner.schema.description;
  lines.push(
    'DESCRIPTION:',
    ...(description === undefined ? ['    <empty>'] : [...wrapped(description, '    '), '    ']),
  );
  if (inner.schema.properties !== undefined) {
    lines.push('FIELDS:');
    if (isRecursive) lines.push(...names(api, inner.schema, '  ', new Set([inner.name])));
    else lines.push(...details(api, inner.schema));
  }
  return [...lines, ''];
}

function details(api: OpenApi, { properties = {}, required = [] }: OpenApiSchema): readonly string[] {
  return Object.entries(properties)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, schema]) => {
      const description = schema.description ?? api.resolve(schema).schema.description;
      return [
        fieldLine(api, name, schema, required, '  '),
        ...enumLines(schema, '    '),
        ...(description === undefined ? ['    <no description>'] : wrapped(description, '    ')),
        '',
      ];
    });
}

/** @param seen types that are being described already: some contain themselves */
function names(
  api: OpenApi,
  { properties = {}, required = [] }: OpenApiSchema,
  indent: string,
  seen: ReadonlySet<string | undefined>,
): readonly string[] {
  return Object.entries(properties)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, schema]) => {
      const inner = api.inner(schema);
      const isKnown = inner.name !== undefined && seen.has(inner.name);
      return [
        fieldLine(api, name, schema, required, indent),
        ...enumLines(schema, indent),
        ...(isKnown ? [] : names(api, inner.schema, `${indent}  `, new Set([...seen, inner.name]))),
      ];
    });
}

function fieldLine(
  api: OpenApi,
  name: string,
  schema: OpenApiSchema,
  required: readonly string[],
  indent: string,
): string {
  return `${indent}${name}\t<${api.typeName(schema)}>${required.includes(name) ? ' -required-' : ''}`;
}

function enumLines({ enum: values }: OpenApiSchema, indent: string): readonly string[] {
  if (values === undefined || values.length === 0) return [];
  return [`${indent}ENUM:`, ...values.map((value) => `${indent}    ${value === '' ? '""' : String(value)}`)];
}

function wrapped(text: string, indent: string): readonly string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
        lines.push(indent + line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    return [...lines, indent + line];
  });
}
