// Prints the table of served resources from the two discovery documents.
import { join } from 'node:path';
import { capitalize, type GroupVersionKind, readJson } from './document.ts';
import { header } from './types.ts';

export interface ServedSubresource extends GroupVersionKind {
  readonly name: string;
  readonly verbs: readonly string[];
}

export interface ServedResource extends GroupVersionKind {
  readonly resource: string;
  readonly namespaced: boolean;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly preferred: boolean;
  readonly returnsDeleted: boolean;
  readonly subresources: readonly ServedSubresource[];
}

type Described = Omit<ServedResource, 'returnsDeleted'>;

interface CoreResource extends Partial<GroupVersionKind> {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly singularName: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs: readonly string[];
}

interface AggregatedResource {
  readonly resource: string;
  readonly responseKind: GroupVersionKind;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly singularResource: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources?: readonly {
    readonly subresource: string;
    readonly responseKind: GroupVersionKind;
    readonly verbs: readonly string[];
  }[];
}

interface AggregatedGroup {
  readonly metadata: { readonly name: string };
  readonly versions: readonly { readonly version: string; readonly resources: readonly AggregatedResource[] }[];
}

/** All served resources, in discovery order: the core group first, the preferred version of each group first. */
export function readResources(folder: string): readonly ServedResource[] {
  const core = readJson<{ resources: readonly CoreResource[] }>(join(folder, 'discovery-core-v1.json'));
  const groups = readJson<{ items: readonly AggregatedGroup[] }>(join(folder, 'discovery-aggregated-v2.json'));
  const returning = kindsReturnedByDelete(folder);
  return [...coreResources(core.resources), ...groups.items.flatMap(groupResources)].map((resource) => {
    return { ...resource, returnsDeleted: returning.has(`${resource.group}/${resource.version}/${resource.kind}`) };
  });
}

interface OperationDocument {
  readonly 'x-kubernetes-action'?: string;
  readonly 'x-kubernetes-group-version-kind'?: GroupVersionKind;
  readonly responses: Readonly<Record<string, { readonly schema?: { readonly $ref?: string } }>>;
}

/** Deleting an object answers a Status, except for these kinds, where it answers the object. */
function kindsReturnedByDelete(folder: string): ReadonlySet<string> {
  const kinds = new Set<string>();
  const { paths } = readJson<{ paths: Record<string, { delete?: OperationDocument }> }>(join(folder, 'swagger.json'));
  for (const { delete: operation } of Object.values(paths)) {
    const kind = operation?.['x-kubernetes-group-version-kind'];
    const answer = operation?.responses['200']?.schema?.$ref;
    if (operation?.['x-kubernetes-action'] !== 'delete' || kind === undefined || answer === undefined) continue;
    if (!answer.endsWith('.Status')) kinds.add(`${kind.group}/${kind.version}/${kind.kind}`);
  }
  return kinds;
}

function coreResources(entries: readonly CoreResource[]): readonly Described[] {
  return entries
    .filter((entry) => !entry.name.includes('/'))
    .map((entry) => ({
      group: '',
      version: 'v1',
      kind: entry.kind,
      resource: entry.name,
      namespaced: entry.namespaced,
      singular: entry.singularName,
      shortNames: entry.shortNames ?? [],
      categories: entry.categories ?? [],
      verbs: entry.verbs,
      preferred: true,
      subresources: entries
        .filter((sub) => sub.name.startsWith(`${entry.name}/`))
        .map((sub) => ({
          name: sub.name.slice(entry.name.length + 1),
          group: sub.group ?? '',
          version: sub.version ?? 'v1',
          kind: sub.kind,
          verbs: sub.verbs,
        })),
    }));
}

function groupResources(entry: AggregatedGroup): readonly Described[] {
  const group = entry.metadata.name;
  return entry.versions.flatMap(({ version, resources }, index) =>
    resources.map((resource) => ({
      group,
      version,
      kind: resource.responseKind.kind,
      resource: resource.resource,
      namespaced: resource.scope === 'Namespaced',
      singular: resource.singularResource,
      shortNames: resource.shortNames ?? [],
      categories: resource.categories ?? [],
      verbs: resource.verbs,
      preferred: index === 0,
      subresources: (resource.subresources ?? []).map((sub) => ({
        name: sub.subresource,
        group: sub.responseKind.group === '' ? group : sub.responseKind.group,
        version: sub.responseKind.version === '' ? version : sub.responseKind.version,
        kind: sub.responseKind.kind,
        verbs: sub.verbs,
      })),
    })),
  );
}

/** Position of a version in its group's discovery order; 0 is preferred, unknown groups count as preferred. */
export function versionRanks(resources: readonly ServedResource[]): (group: string, version: string) => number {
  const versions = new Map<string, string[]>();
  for (const { group, version } of resources) {
    const known = versions.get(group) ?? [];
    if (!known.includes(version)) known.push(version);
    versions.set(group, known);
  }
  return (group, version) => Math.max(0, versions.get(group)?.indexOf(version) ?? 0);
}

export function resourceFile(
  resources: readonly ServedResource[],
  typeName: (group: string, version: string, kind: string) => string,
): string {
  const taken = new Map<string, ServedResource>();
  const constants: string[] = [];
  const used = new Set<string>();
  for (const entry of resources) {
    const holder = taken.get(entry.resource);
    if (holder !== undefined && holder.group === entry.group) continue;
    const key = holder === undefined ? entry.resource : entry.resource + capitalize(entry.version);
    if (taken.has(key)) throw new Error(`Two resources want the constant resources.${key}`);
    taken.set(key, entry);
    const type = typeName(entry.group, entry.version, entry.kind);
    used.add(type);
    const { group, version, resource, kind, namespaced } = entry;
    constants.push(`  ${key}: ${literal({ group, version, resource, kind, namespaced })} as Resource<T.${type}>,`);
  }
  return [
    header,
    `import type { Resource, ServedResource } from '../meta/resource.ts';`,
    `import type * as T from './types.ts';\n`,
    '/** The preferred version of every served resource, by its plural name. */',
    `export const resources = {\n${constants.join('\n')}\n} as const;\n`,
    '/** Every served resource: the core group first, the preferred version of each group first. */',
    `export const resourceTable: readonly ServedResource[] = [\n${resources.map((r) => `  ${literal(r)},`).join('\n')}\n];\n`,
  ].join('\n');
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, item]) => `${key}: ${literal(item)}`)
      .join(', ')} }`;
  }
  return typeof value === 'string' ? `'${value}'` : String(value);
}
