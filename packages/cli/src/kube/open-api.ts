import { readBody } from '@wherry/client';
import type { DiscoveredResource } from './discovery.ts';
import type { Session } from './session.ts';
import { VerbError } from './verb-error.ts';

/** What is read of a schema of the server's OpenAPI documents. */
export interface OpenApiSchema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly $ref?: string;
  readonly allOf?: readonly OpenApiSchema[];
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly items?: OpenApiSchema;
  readonly additionalProperties?: OpenApiSchema | boolean;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

/** The schemas of one version of the API. */
export class OpenApi {
  readonly #schemas: Readonly<Record<string, OpenApiSchema>>;

  private constructor(schemas: Readonly<Record<string, OpenApiSchema>>) {
    this.#schemas = schemas;
  }

  static async load(session: Session, { group, version }: DiscoveredResource): Promise<OpenApi> {
    const index = await read<{ readonly paths?: Readonly<Record<string, { readonly serverRelativeURL: string }>> }>(
      session,
      '/openapi/v3',
    );
    const path = group === '' ? `api/${version}` : `apis/${group}/${version}`;
    const url = index.paths?.[path]?.serverRelativeURL;
    if (url === undefined)
      throw new VerbError(`couldn't find resource for "${path}": the server has no OpenAPI document of it`);
    const document = await read<{
      readonly components?: { readonly schemas?: Readonly<Record<string, OpenApiSchema>> };
    }>(session, url);
    return new OpenApi(document.components?.schemas ?? {});
  }

  ofKind({ group, version, kind }: DiscoveredResource): OpenApiSchema | undefined {
    return Object.values(this.#schemas).find((schema) =>
      schema['x-kubernetes-group-version-kind']?.some(
        (one) => one.group === group && one.version === version && one.kind === kind,
      ),
    );
  }

  /** The schema behind a reference, and its short name. */
  resolve(schema: OpenApiSchema): { readonly schema: OpenApiSchema; readonly name: string | undefined } {
    const reference = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined);
    if (reference === undefined) return { schema, name: undefined };
    const full = reference.split('/').at(-1) ?? '';
    const found = this.#schemas[full];
    if (found === undefined) throw new VerbError(`the server's OpenAPI document lacks ${full}`);
    return { schema: found, name: full.split('.').at(-1) };
  }

  /** The schema that holds a field's own fields: of lists and maps, that of their items. */
  inner(schema: OpenApiSchema): { readonly schema: OpenApiSchema; readonly name: string | undefined } {
    const resolved = this.resolve(schema);
    if (resolved.name !== undefined) return resolved;
    const { items, additionalProperties } = schema;
    if (items !== undefined) return this.inner(items);
    if (typeof additionalProperties === 'object') return this.inner(additionalProperties);
    return resolved;
  }

  /** As a field's type is shown: `string`, `[]Container`, `map[string]Quantity`. */
  typeName(schema: OpenApiSchema): string {
    const { name, schema: resolved } = this.resolve(schema);
    // A name for plain text, such as Time, tells less than what it is.
    const isPlain = resolved.type !== undefined && resolved.type !== 'object' && resolved.type !== 'array';
    if (name !== undefined) return isPlain ? (resolved.type ?? name) : name;
    if (schema.items !== undefined) return `[]${this.typeName(schema.items)}`;
    if (typeof schema.additionalProperties === 'object')
      return `map[string]${this.typeName(schema.additionalProperties)}`;
    return schema.type === undefined ? 'Object' : schema.type === 'object' ? 'Object' : schema.type;
  }
}

async function read<T>({ client }: Session, path: string): Promise<T> {
  const response = await client.raw({ method: 'GET', path, headers: { accept: 'application/json' } });
  return JSON.parse((await readBody(response)).toString('utf8')) as T;
}
