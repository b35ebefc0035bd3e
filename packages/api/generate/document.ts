// The official OpenAPI document, read into the few shapes the generator needs.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface SchemaDocument {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly items?: SchemaDocument;
  readonly additionalProperties?: SchemaDocument;
  readonly properties?: Readonly<Record<string, SchemaDocument>>;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-patch-strategy'?: string;
}

/** One definition: `io.k8s.api.core.v1.Pod` has package `io.k8s.api.core.v1` and name `Pod`. */
export interface Definition {
  readonly fullName: string;
  readonly package: string;
  readonly name: string;
  readonly schema: SchemaDocument;
  readonly kinds: readonly GroupVersionKind[];
}

export interface ApiPackage {
  readonly name: string;
  /** API group its kinds belong to; `''` for the core group and for packages without kinds of their own. */
  readonly group: string;
  readonly version: string;
  /** File name without extension, as `core-v1`. */
  readonly file: string;
  /** Prefix that tells apart equal type names, as `CoreV1`. */
  readonly prefix: string;
}

export interface Definitions {
  readonly all: ReadonlyMap<string, Definition>;
  readonly packages: ReadonlyMap<string, ApiPackage>;
}

const refPrefix = '#/definitions/';

export function refName(schema: SchemaDocument): string | undefined {
  return schema.$ref?.slice(refPrefix.length);
}

/** @throws when a file is missing or is not JSON. */
export function readJson<T>(path: string): T {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (cause) {
    throw new Error(`Cannot read ${path}: it must be a JSON document of the official API`, { cause });
  }
}

export function readDefinitions(folder: string): Definitions {
  const swagger = readJson<{ definitions: Record<string, SchemaDocument> }>(join(folder, 'swagger.json'));
  const all = new Map<string, Definition>();
  const packages = new Map<string, ApiPackage>();
  for (const fullName of Object.keys(swagger.definitions).sort()) {
    const schema = swagger.definitions[fullName];
    if (schema === undefined) continue;
    const cut = fullName.lastIndexOf('.');
    const packageName = fullName.slice(0, cut);
    const kinds = schema['x-kubernetes-group-version-kind'] ?? [];
    all.set(fullName, { fullName, package: packageName, name: fullName.slice(cut + 1), schema, kinds });
    const known = packages.get(packageName);
    const own = kinds.length === 1 ? kinds[0] : undefined;
    if (known === undefined || (known.group === '' && own !== undefined)) {
      packages.set(packageName, describePackage(packageName, own?.group ?? ''));
    }
  }
  return { all, packages };
}

function describePackage(name: string, group: string): ApiPackage {
  const segments = name.split('.');
  const last = segments.at(-1) ?? '';
  const versioned = /^v\d/.test(last);
  const family = versioned ? (segments.at(-2) ?? '') : last;
  const version = versioned ? last : '';
  return {
    name,
    group,
    version,
    file: versioned ? `${family}-${version}` : family,
    prefix: capitalize(family) + capitalize(version),
  };
}

export function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/**
 * The `default` of every field that has one, by `definition.field`. Only the v3 documents carry them. Nearly all are Go
 * zero values and say only that Go always writes the field.
 */
export function readDefaults(folder: string): ReadonlyMap<string, unknown> {
  const defaults = new Map<string, unknown>();
  const v3 = join(folder, 'v3');
  if (!existsSync(v3)) throw new Error(`Cannot find the folder ${v3}: it must hold the OpenAPI v3 documents`);
  for (const file of readdirSync(v3).sort()) {
    const document = readJson<{ components?: { schemas?: Record<string, SchemaDocument> } }>(join(v3, file));
    for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) {
      for (const [field, property] of Object.entries(schema.properties ?? {})) {
        if (property.default !== undefined) defaults.set(`${name}.${field}`, property.default);
      }
    }
  }
  return defaults;
}
