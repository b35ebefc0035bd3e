// What can be asked of each resource, as plain values that both versions of OpenAPI documents are printed from.
import { facts } from '../facts/table.ts';
import { resourceTable } from '../generated/resources.ts';
import { groupVersion, type ServedResource, type ServedSubresource } from '../meta/resource.ts';
import { connectQueries } from './parameters.ts';

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface Operation {
  readonly method: Method;
  readonly operationId: string;
  readonly tag: string;
  /** Value of `x-kubernetes-action`; undefined for discovery. */
  readonly action?: string;
  readonly kind?: GroupVersionKind;
  /** Names of query parameters. */
  readonly query: readonly string[];
  /** Definition of the body; `patch` for any of the patch types. */
  readonly body?: { readonly definition: string; readonly required: boolean; readonly patch?: boolean };
  /** Definition that is answered, or text. */
  readonly answer: { readonly definition?: string; readonly codes: readonly number[]; readonly stream?: boolean };
}

type SharedParameter = 'name' | 'namespace' | 'pretty';

export interface PathItem {
  readonly path: string;
  /** Parameters that all operations share; `pretty` is a query parameter. */
  readonly pathParameters: readonly SharedParameter[];
  readonly operations: readonly Operation[];
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const write = ['dryRun', 'fieldManager', 'fieldValidation'];
const patch = [...write, 'force'];
const list = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
];
const remove = [
  'dryRun',
  'gracePeriodSeconds',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'propagationPolicy',
];
const removeMany = [...new Set([...remove, ...list])].filter(
  (name) => name !== 'allowWatchBookmarks' && name !== 'watch',
);

/** Every path below a group and version; the deprecated `watch/` paths are not listed. */
export function resourcePaths(group: string, version: string): readonly PathItem[] {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const served = resourceTable.filter((entry) => entry.group === group && entry.version === version);
  return [discoveryPath(`${root}/`, group, version), ...served.flatMap((entry) => pathsOf(entry, root))];
}

function discoveryPath(path: string, group: string, version: string): PathItem {
  const operation: Operation = {
    method: 'get',
    operationId: `get${idPrefix(group, version)}APIResources`,
    tag: tagOf(group, version),
    query: [],
    answer: { definition: `${meta}APIResourceList`, codes: [200] },
  };
  return { path, pathParameters: [], operations: [operation] };
}

function pathsOf(entry: ServedResource, root: string): PathItem[] {
  const { resource, namespaced } = entry;
  const scope: SharedParameter[] = namespaced ? ['namespace', 'pretty'] : ['pretty'];
  const base = namespaced ? `${root}/namespaces/{namespace}/${resource}` : `${root}/${resource}`;
  const items: PathItem[] = [
    { path: base, pathParameters: scope, operations: collectionOperations(entry) },
    { path: `${base}/{name}`, pathParameters: ['name', ...scope], operations: itemOperations(entry) },
    ...entry.subresources.map((sub) => ({
      path: `${base}/{name}/${sub.name}`,
      pathParameters: ['name' as const, ...scope].filter((name) => name !== 'pretty' || !isConnect(sub.name)),
      operations: subresourceOperations(entry, sub),
    })),
  ];
  if (namespaced && entry.verbs.includes('list')) {
    const everywhere = listOperation(entry, `list${idPrefix(entry.group, entry.version)}${entry.kind}ForAllNamespaces`);
    items.push({ path: `${root}/${resource}`, pathParameters: ['pretty'], operations: [everywhere] });
  }
  return items.filter(({ operations }) => operations.length > 0);
}

/** Streams of any bytes; a log is read like an object. */
function isConnect(subresource: string): boolean {
  return subresource !== 'log' && connectQueries[subresource] !== undefined;
}

function collectionOperations(entry: ServedResource): Operation[] {
  const { verbs, kind } = entry;
  const definition = definitionOf(entry);
  const prefix = idPrefix(entry.group, entry.version);
  const scoped = `${entry.namespaced ? 'Namespaced' : ''}${kind}`;
  const operations: Operation[] = [];
  if (verbs.includes('list')) operations.push(listOperation(entry, `list${prefix}${scoped}`));
  if (verbs.includes('create')) {
    operations.push({
      ...common(entry, 'post', 'post', `create${prefix}${scoped}`),
      query: write,
      body: { definition, required: true },
      answer: { definition, codes: [200, 201, 202] },
    });
  }
  if (verbs.includes('deletecollection')) {
    operations.push({
      ...common(entry, 'delete', 'deletecollection', `delete${prefix}Collection${scoped}`),
      query: removeMany,
      body: { definition: `${meta}DeleteOptions`, required: false },
      answer: { definition: `${meta}Status`, codes: [200] },
    });
  }
  return operations;
}

function listOperation(entry: ServedResource, operationId: string): Operation {
  const definition = definitionOf({ ...entry, kind: `${entry.kind}List` });
  return {
    ...common(entry, 'get', 'list', operationId),
    query: list,
    answer: { definition, codes: [200], stream: entry.verbs.includes('watch') },
  };
}

function itemOperations(entry: ServedResource): Operation[] {
  const scoped = `${entry.namespaced ? 'Namespaced' : ''}${entry.kind}`;
  const operations = objectOperations(entry, entry.verbs, entry, scoped);
  if (entry.verbs.includes('delete')) {
    const id = `delete${idPrefix(entry.group, entry.version)}${scoped}`;
    operations.push({
      ...common(entry, 'delete', 'delete', id),
      query: remove,
      body: { definition: `${meta}DeleteOptions`, required: false },
      answer: { definition: entry.returnsDeleted ? definitionOf(entry) : `${meta}Status`, codes: [200, 202] },
    });
  }
  return operations;
}

function subresourceOperations(entry: ServedResource, sub: ServedSubresource): Operation[] {
  const scoped = `${entry.namespaced ? 'Namespaced' : ''}${entry.kind}${capitalized(sub.name)}`;
  const prefix = idPrefix(entry.group, entry.version);
  const query = connectQueries[sub.name];
  if (query === undefined) {
    const operations = objectOperations(entry, sub.verbs, sub, scoped);
    if (!sub.verbs.includes('create')) return operations;
    const definition = definitionOf(sub);
    const create: Operation = {
      ...common({ ...entry, ...gvkOf(sub) }, 'post', 'post', `create${prefix}${scoped}`),
      tag: tagOf(entry.group, entry.version),
      query: write,
      body: { definition, required: true },
      answer: { definition, codes: [200, 201, 202] },
    };
    return [...operations, create];
  }
  if (sub.name === 'log') {
    return [{ ...common(entry, 'get', 'get', `read${prefix}${scoped}`), query, answer: { codes: [200] } }];
  }
  return sub.verbs.flatMap((verb) => {
    const method = connectMethods[verb];
    if (method === undefined) return [];
    const id = `connect${prefix}${capitalized(method)}${scoped}`;
    return [{ ...common({ ...entry, ...gvkOf(sub) }, method, 'connect', id), query, answer: { codes: [200] } }];
  });
}

const connectMethods: Readonly<Record<string, Method>> = {
  get: 'get',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
};

/** Reading, replacing and patching of an object or of a subresource that looks like one. */
function objectOperations(
  entry: ServedResource,
  verbs: readonly string[],
  shape: GroupVersionKind,
  scoped: string,
): Operation[] {
  const definition = definitionOf(shape);
  const prefix = idPrefix(entry.group, entry.version);
  const of = (method: Method, action: string, id: string) => ({
    ...common(entry, method, action, `${id}${prefix}${scoped}`),
    kind: gvkOf(shape),
  });
  const operations: Operation[] = [];
  if (verbs.includes('get')) {
    operations.push({ ...of('get', 'get', 'read'), query: [], answer: { definition, codes: [200] } });
  }
  if (verbs.includes('update')) {
    const body = { definition, required: true };
    operations.push({ ...of('put', 'put', 'replace'), query: write, body, answer: { definition, codes: [200, 201] } });
  }
  if (verbs.includes('patch')) {
    const body = { definition: `${meta}Patch`, required: true, patch: true };
    operations.push({
      ...of('patch', 'patch', 'patch'),
      query: patch,
      body,
      answer: { definition, codes: [200, 201] },
    });
  }
  return operations;
}

function common(entry: GroupVersionKind, method: Method, action: string, operationId: string) {
  return { method, action, operationId, tag: tagOf(entry.group, entry.version), kind: gvkOf(entry) };
}

function gvkOf({ group, version, kind }: GroupVersionKind): GroupVersionKind {
  return { group, version, kind };
}

/** @throws for a kind without a definition, which would be a fault of the generated tables */
function definitionOf({ group, version, kind }: GroupVersionKind): string {
  const node = facts.ofKind(group, version, kind);
  if (node === undefined) throw new Error(`No definition for ${groupVersion({ group, version })} ${kind}`);
  return node.definition;
}

/** `CoreV1`, `RbacAuthorizationV1`. */
function idPrefix(group: string, version: string): string {
  return groupWords(group).map(capitalized).join('') + capitalized(version);
}

/** `core_v1`, `rbacAuthorization_v1`. */
export function tagOf(group: string, version: string): string {
  const [first = '', ...others] = groupWords(group);
  const name = first + others.map(capitalized).join('');
  return version === '' ? name : `${name}_${version}`;
}

function groupWords(group: string): string[] {
  return group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split('.');
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
