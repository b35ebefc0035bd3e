import { type ApiObject, facts, groupVersion, type ObjectNode, resourceTable, type ServedResource } from '@wherry/api';
import { encodingOf } from '../cache/encoding.ts';
import type { Attributes } from '../cache/entry.ts';
import type { ObjectReader } from '../cache/object-reader.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import { REGISTRY_PREFIX, type WatchCache } from '../cache/watch-cache.ts';
import { strategyFor } from '../kinds/index.ts';
import type { Strategy } from '../kinds/strategy.ts';
import { type Conversion, conversionBetween } from './conversion.ts';

/** A resource in one of the versions in which clients may speak of it. */
export interface ServedKind {
  readonly resource: ServedResource;
  readonly apiVersion: string;
  /** The shape of its objects in this version. */
  readonly node: ObjectNode;
  /** Undefined for resources that are answered without being stored (reviews, bindings, component statuses). */
  readonly stored: StoredKind | undefined;
  /** Undefined when this is the stored version. */
  readonly conversion: Conversion | undefined;
  /** Has a `status` subresource. */
  readonly hasStatus: boolean;
}

/** A resource as it is stored, shared by all its versions. */
export interface StoredKind {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespaced: boolean;
  readonly strategy: Strategy;
  readonly cache: ResourceCache;
  readonly ttlSeconds: number | undefined;
  /** In what versions it is served, by apiVersion; filled by the table of kinds. */
  readonly versions: Map<string, ServedKind>;
}

/** Upstream's storage paths where they are not simply the plural name. */
const storagePaths: Readonly<Record<string, string>> = {
  '/nodes': 'minions',
  '/services': 'services/specs',
  '/endpoints': 'services/endpoints',
  '/replicationcontrollers': 'controllers',
  'networking.k8s.io/ingresses': 'ingress',
  'apiregistration.k8s.io/apiservices': 'apiregistration.k8s.io/apiservices',
  'apiextensions.k8s.io/customresourcedefinitions': 'apiextensions.k8s.io/customresourcedefinitions',
};

/** Both Event APIs show the same objects. */
const sameStorage: Readonly<Record<string, string>> = { 'events.k8s.io/events': '/events' };

/** Resources that nothing stores. */
const virtualResources = new Set([
  '/bindings',
  '/componentstatuses',
  'authentication.k8s.io/tokenreviews',
  'authentication.k8s.io/selfsubjectreviews',
  'authorization.k8s.io/subjectaccessreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
]);

export interface KindTableOptions {
  readonly watchCache: WatchCache;
  readonly reader: ObjectReader;
  readonly eventTtlSeconds: number;
}

/** All served kinds by `group/version/resource`. */
export class KindTable {
  readonly #served = new Map<string, ServedKind>();
  readonly #stored = new Map<string, StoredKind>();

  constructor(options: KindTableOptions) {
    for (const resource of resourceTable) {
      this.#add(resource, options);
    }
  }

  find(group: string, version: string, resource: string): ServedKind | undefined {
    return this.#served.get(`${group}/${version}/${resource}`);
  }

  all(): Iterable<ServedKind> {
    return this.#served.values();
  }

  hasGroupVersion(group: string, version: string): boolean {
    for (const { resource } of this.#served.values()) {
      if (resource.group === group && resource.version === version) {
        return true;
      }
    }
    return false;
  }

  /** The served kind of the stored version; for the server's own writes. */
  storedVersion(group: string, resource: string): ServedKind {
    const stored = this.#stored.get(`${group}/${resource}`);
    const served = stored === undefined ? undefined : this.find(stored.group, stored.version, stored.resource);
    if (served === undefined) {
      throw new Error(`Resource ${group}/${resource} is not stored`);
    }
    return served;
  }

  #add(resource: ServedResource, options: KindTableOptions): void {
    const id = `${resource.group}/${resource.resource}`;
    const node = facts.ofKind(resource.group, resource.version, resource.kind);
    if (node === undefined) {
      throw new Error(`No facts about ${resource.kind} in ${groupVersion(resource)}`);
    }
    const stored = virtualResources.has(id) ? undefined : this.#storedKind(id, resource, options);
    const served: ServedKind = {
      resource,
      apiVersion: groupVersion(resource),
      node,
      stored,
      conversion: stored === undefined ? undefined : conversionBetween(resource, stored),
      hasStatus: resource.subresources.some(({ name }) => name === 'status'),
    };
    this.#served.set(`${resource.group}/${resource.version}/${resource.resource}`, served);
    stored?.versions.set(served.apiVersion, served);
  }

  /** The first version listed of a resource is the one that is stored: discovery lists the preferred one first. */
  #storedKind(id: string, resource: ServedResource, options: KindTableOptions): StoredKind {
    const shared = sameStorage[id] ?? id;
    const known = this.#stored.get(shared);
    if (known !== undefined) {
      this.#stored.set(id, known);
      options.reader.register(resource, known.cache);
      return known;
    }
    const strategy = strategyFor(resource);
    const cache = options.watchCache.add({
      prefix: `${REGISTRY_PREFIX}${storagePaths[id] ?? resource.resource}/`,
      namespaced: resource.namespaced,
      encoding: encodingOf(resource.kind, groupVersion(resource)),
      attributesOf: attributesWith(strategy, resource.namespaced),
    });
    const stored: StoredKind = {
      group: resource.group,
      version: resource.version,
      resource: resource.resource,
      kind: resource.kind,
      apiVersion: groupVersion(resource),
      namespaced: resource.namespaced,
      strategy,
      cache,
      ttlSeconds: id === '/events' ? options.eventTtlSeconds : undefined,
      versions: new Map(),
    };
    this.#stored.set(id, stored);
    options.reader.register(resource, cache);
    return stored;
  }
}

function attributesWith(strategy: Strategy, namespaced: boolean): (object: ApiObject) => Attributes {
  const selectable = Object.entries(strategy.fieldSelectors ?? {});
  return (object) => {
    const metadata = object.metadata ?? {};
    const fields: Record<string, string> = { 'metadata.name': metadata.name ?? '' };
    if (namespaced) {
      fields['metadata.namespace'] = metadata.namespace ?? '';
    }
    for (const [name, read] of selectable) {
      fields[name] = read(object);
    }
    return { labels: metadata.labels ?? noLabels, fields };
  };
}

const noLabels: Readonly<Record<string, string>> = {};
