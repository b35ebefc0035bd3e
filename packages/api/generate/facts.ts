// Prints the field facts of every definition as one compact text that is parsed lazily, definition by definition.
import { type Definition, type Definitions, refName, type SchemaDocument } from './document.ts';
import { header } from './types.ts';

/** Definitions that are values of their own rather than objects with fields, with their type letter. */
const scalars: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'q',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 't',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'm',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'x',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'o',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'f',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': 'p',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': '*',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': 'A',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'B',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': 'S',
};

/**
 * Format, one line each:
 * - `=<package> <group> <version>` starts a package (`-` for the core group, `-` for no version);
 * - `<Name>[@|@*]|<field>|<field>…` is a definition; `@` marks a kind of the package's group and version,
 *   `@*` one that exists in every group;
 * - a field is `<name>[!] <type>[ l<listType>][ k<mapKeys,>][ m<mergeKey>][ s<strategy,>][ a<mapType>][ e<enum,>][ d<default>][ z]`,
 *   where `z` marks a field that Go writes even if it is empty;
 * - a type is a letter (see `src/facts/table.ts`), `[]T`, `{}T` or `#<line number of a definition>`.
 */
export function factsFile(definitions: Definitions, defaults: ReadonlyMap<string, unknown>): string {
  const lines: string[] = [];
  const lineOf = new Map<string, number>();
  let current = '';
  let position = 0;
  for (const definition of definitions.all.values()) {
    if (definition.package !== current) position += 1;
    current = definition.package;
    lineOf.set(definition.fullName, position);
    position += 1;
  }
  current = '';
  for (const definition of definitions.all.values()) {
    if (definition.package !== current) {
      const home = definitions.packages.get(definition.package);
      lines.push(`=${definition.package} ${home?.group || '-'} ${home?.version || '-'}`);
    }
    current = definition.package;
    lines.push(definitionLine(definition, lineOf, defaults));
  }
  const everywhere = [...definitions.all.values()].find((d) => d.kinds.length > 1)?.kinds ?? [];
  const groups = everywhere.map(({ group, version }) => `${group}/${version}`).join(' ');
  return `${header}\n/** Format: see packages/api/generate/facts.ts. */\nexport const factsText =\n  ${quote(lines.join('\n'))};\n\n/** Group/versions in which the kinds that exist everywhere (DeleteOptions, WatchEvent) are known. */\nexport const everyGroupVersion =\n  ${quote(groups)};\n`;
}

function definitionLine(
  definition: Definition,
  lineOf: ReadonlyMap<string, number>,
  defaults: ReadonlyMap<string, unknown>,
): string {
  const { fullName, name, kinds, schema } = definition;
  const mark = kinds.length > 1 ? '@*' : kinds.length === 1 ? '@' : '';
  const scalar = scalars[fullName];
  if (scalar !== undefined) return `${name}${mark}~${scalar}`;
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties ?? {}).map(([field, property]) => {
    const preset = defaults.get(`${fullName}.${field}`);
    const parts = [
      `${field}${required.has(field) ? '!' : ''}`,
      typeCode(property, lineOf),
      option('l', property['x-kubernetes-list-type']),
      option('k', property['x-kubernetes-list-map-keys']?.join(',')),
      option('m', property['x-kubernetes-patch-merge-key']),
      option('s', property['x-kubernetes-patch-strategy']),
      option('a', property['x-kubernetes-map-type']),
      option('e', property.enum?.join(',')),
      option('d', preset !== undefined && !isZero(preset) ? String(preset) : undefined),
      isZero(preset) && (typeof preset === 'object' || required.has(field)) ? 'z' : '',
    ];
    return parts.filter((part) => part !== '').join(' ');
  });
  const own = option('a', schema['x-kubernetes-map-type']);
  return [`${name}${mark}${own === '' ? '' : ` ${own}`}`, ...fields].join('|');
}

function isZero(value: unknown): boolean {
  return value === '' || value === 0 || value === false || (typeof value === 'object' && value !== null);
}

function option(letter: string, value: string | undefined): string {
  return value === undefined || value === '' ? '' : letter + value;
}

function typeCode(schema: SchemaDocument, lineOf: ReadonlyMap<string, number>): string {
  const ref = refName(schema);
  if (ref !== undefined) {
    const line = lineOf.get(ref);
    if (line === undefined) throw new Error(`Cannot resolve the reference ${ref}`);
    return scalars[ref] ?? `#${line}`;
  }
  switch (schema.type) {
    case 'array':
      return `[]${typeCode(schema.items ?? {}, lineOf)}`;
    case 'object':
      return schema.additionalProperties ? `{}${typeCode(schema.additionalProperties, lineOf)}` : 'o';
    case 'string':
      return schema.format === 'byte' ? 'y' : 's';
    case 'integer':
      return schema.format === 'int32' ? 'i' : 'l';
    case 'number':
      return 'n';
    case 'boolean':
      return 'b';
    default:
      return '*';
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
}
