import { createHash } from 'node:crypto';
import { groupVersion, type ServedResource, type ServedSubresource } from '@wherry/api';

/** A discovery document, encoded once. */
export interface Document {
  readonly bytes: Buffer;
  readonly etag: string;
}

function document(value: unknown): Document {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` };
}

/** What the server serves, told in upstream's two ways: classic documents per group and version, and aggregated ones. */
export interface Discovery {
  readonly core: Document;
  readonly groups: Document;
  readonly aggregatedCore: Document;
  readonly aggregatedGroups: Document;
  /** `apps` → APIGroup. */
  readonly group: ReadonlyMap<string, Document>;
  /** `v1`, `apps/v1` → APIResourceList. */
  readonly resources: ReadonlyMap<string, Document>;
}

export function buildDiscovery(table: readonly ServedResource[], serverAddress: string): Discovery {
  const byGroup = grouped(table);
  const named = [...byGroup].filter(([name]) => name !== '');
  return {
    core: document({
      kind: 'APIVersions',
      versions: [...(byGroup.get('')?.keys() ?? [])],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
    }),
    groups: document({
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: named.map(([name, versions]) => apiGroup(name, versions)),
    }),
    aggregatedCore: document(aggregated([...byGroup].filter(([name]) => name === ''))),
    aggregatedGroups: document(aggregated(named)),
    group: new Map(
      named.map(([name, versions]) => [
        name,
        document({ kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(name, versions) }),
      ]),
    ),
    resources: new Map(
      [...byGroup].flatMap(([group, versions]) =>
        [...versions].map(([version, resources]) => {
          const name = groupVersion({ group, version });
          return [name, document(resourceList(name, resources))] as const;
        }),
      ),
    ),
  };
}

type Versions = Map<string, ServedResource[]>;

function grouped(table: readonly ServedResource[]): Map<string, Versions> {
  const groups = new Map<string, Versions>();
  for (const resource of table) {
    const versions: Versions = groups.get(resource.group) ?? new Map();
    groups.set(resource.group, versions);
    const list = versions.get(resource.version) ?? [];
    versions.set(resource.version, list);
    list.push(resource);
  }
  return groups;
}

function apiGroup(name: string, versions: Versions) {
  const all = [...versions.keys()].map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: all, preferredVersion: all[0] };
}

function resourceList(name: string, resources: readonly ServedResource[]) {
  return {
    kind: 'APIResourceList',
    ...(name === 'v1' ? {} : { apiVersion: 'v1' }),
    groupVersion: name,
    resources: resources.flatMap((resource) => [
      {
        name: resource.resource,
        singularName: resource.singular,
        namespaced: resource.namespaced,
        kind: resource.kind,
        verbs: resource.verbs,
        ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
        ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
      },
      ...resource.subresources.map((subresource) => ({
        name: `${resource.resource}/${subresource.name}`,
        singularName: '',
        namespaced: resource.namespaced,
        ...foreign(resource, subresource),
        kind: subresource.kind,
        verbs: subresource.verbs,
      })),
    ]),
  };
}

function foreign(resource: ServedResource, subresource: ServedSubresource) {
  return subresource.group === resource.group && subresource.version === resource.version
    ? {}
    : { group: subresource.group, version: subresource.version };
}

function aggregated(groups: readonly (readonly [string, Versions])[]) {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(([name, versions]) => ({
      metadata: { ...(name === '' ? {} : { name }), creationTimestamp: null },
      versions: [...versions].map(([version, resources]) => ({
        version,
        freshness: 'Current',
        resources: resources.map(aggregatedResource),
      })),
    })),
  };
}

function aggregatedResource(resource: ServedResource) {
  return {
    resource: resource.resource,
    responseKind: { group: resource.group, version: resource.version, kind: resource.kind },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
    ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
    ...(resource.subresources.length === 0
      ? {}
      : {
          subresources: resource.subresources.map(({ name, group, version, kind, verbs }) => ({
            subresource: name,
            responseKind: { group, version, kind },
            verbs,
          })),
        }),
  };
}
