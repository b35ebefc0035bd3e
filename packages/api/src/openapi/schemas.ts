// Prints definitions as OpenAPI schemas. Descriptions are not kept, so there are none.
import type { AnyNode, DefinitionFacts, Field, SchemaNode } from '../facts/schema.ts';
import { facts } from '../facts/table.ts';

/** In v3 nothing may stand beside a `$ref`, so it is wrapped where a default or an extension does. */
export type Style = 'v2' | 'v3';

export type Json = Record<string, unknown>;

const scalarDefinitions: Readonly<Partial<Record<SchemaNode['type'], string>>> = {
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  time: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
  microTime: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
};

/** Schemas of these definitions and of all that they refer to, by name. */
export function schemasOf(names: Iterable<string>, style: Style): Json {
  const schemas: Json = {};
  const waiting = [...new Set(names)];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (schemas[name] !== undefined) continue;
    const definition = facts.definition(name);
    if (definition === undefined) throw new Error(`No definition ${name}`);
    schemas[name] = definitionSchema(definition, style, (referred) => waiting.push(referred));
  }
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
}

type OnReference = (name: string) => void;

function definitionSchema(definition: DefinitionFacts, style: Style, onReference: OnReference): Json {
  const { node } = definition;
  if (node.type !== 'object') return scalarSchema(node, style);
  const properties: Json = {};
  for (const field of node.fields.values()) properties[field.name] = fieldSchema(field, style, onReference);
  const required = [...node.fields.values()].filter((field) => field.required).map((field) => field.name);
  return {
    type: 'object',
    ...(node.fields.size === 0 ? {} : { properties }),
    ...(required.length === 0 ? {} : { required }),
    ...(node.mapType === undefined ? {} : { 'x-kubernetes-map-type': node.mapType }),
    ...kindExtension(definition),
  };
}

function kindExtension(definition: DefinitionFacts): Json {
  if (definition.kind === undefined) return {};
  const { kind } = definition.kind;
  const kinds = definition.everywhere
    ? facts.everyGroupVersion().map(({ group, version }) => ({ group, kind, version }))
    : [{ group: definition.kind.group, kind, version: definition.kind.version }];
  return { 'x-kubernetes-group-version-kind': kinds };
}

function fieldSchema(field: Field, style: Style, onReference: OnReference): Json {
  const preset = field.default ?? (field.always && style === 'v3' ? zeroOf(field.node) : undefined);
  const extensions: Json = {
    ...(preset === undefined ? {} : { default: preset }),
    ...(field.enum.length === 0 ? {} : { enum: field.enum }),
    ...(field.listType === undefined ? {} : { 'x-kubernetes-list-type': field.listType }),
    ...(field.listMapKeys.length === 0 ? {} : { 'x-kubernetes-list-map-keys': field.listMapKeys }),
    ...(field.mapType === undefined ? {} : { 'x-kubernetes-map-type': field.mapType }),
    ...(field.patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
    ...(field.patchStrategy.length === 0 ? {} : { 'x-kubernetes-patch-strategy': field.patchStrategy.join(',') }),
  };
  return joined(nodeSchema(field.node, style, onReference), extensions, style);
}

function joined(schema: Json, more: Json, style: Style): Json {
  if (Object.keys(more).length === 0) return schema;
  return style === 'v3' && schema['$ref'] !== undefined ? { allOf: [schema], ...more } : { ...schema, ...more };
}

function nodeSchema(node: SchemaNode, style: Style, onReference: OnReference): Json {
  if (node.type === 'array') return { type: 'array', items: elementSchema(node.items, style, onReference) };
  if (node.type === 'map') {
    return { type: 'object', additionalProperties: elementSchema(node.values, style, onReference) };
  }
  const name = referenceOf(node);
  if (name === undefined) return scalarSchema(node, style);
  onReference(name);
  return { $ref: referencePath(name, style) };
}

/** Elements of lists and maps state the value that stands for null. */
function elementSchema(node: SchemaNode, style: Style, onReference: OnReference): Json {
  const zero = style === 'v3' ? zeroOf(node) : undefined;
  return joined(nodeSchema(node, style, onReference), zero === undefined ? {} : { default: zero }, style);
}

export function referencePath(name: string, style: Style): string {
  return `${style === 'v3' ? '#/components/schemas/' : '#/definitions/'}${name}`;
}

function referenceOf(node: SchemaNode): string | undefined {
  if (node.type === 'object') return node.definition;
  if (node.type === 'any') return node.definition;
  return scalarDefinitions[node.type];
}

function scalarSchema(node: SchemaNode, style: Style): Json {
  switch (node.type) {
    case 'string':
    case 'boolean':
      return { type: node.type };
    case 'integer':
      return { type: 'integer', format: node.format };
    case 'number':
      return { type: 'number', format: 'double' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'quantity':
      return style === 'v3' ? { oneOf: [{ type: 'string' }, { type: 'number' }] } : { type: 'string' };
    case 'time':
    case 'microTime':
      return { type: 'string', format: 'date-time' };
    case 'intOrString':
      return style === 'v3'
        ? { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }
        : { type: 'string', format: 'int-or-string' };
    case 'any':
      return anySchema(node);
    default:
      throw new Error(`A ${node.type} is no scalar`);
  }
}

/** JSON of the schema kinds may be anything; the others are objects of any shape. */
function anySchema(node: AnyNode): Json {
  return node.definition?.includes('.apiextensions.') === true ? {} : { type: 'object' };
}

function zeroOf(node: SchemaNode): unknown {
  switch (node.type) {
    case 'object':
      return {};
    case 'string':
      return '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return undefined;
  }
}
