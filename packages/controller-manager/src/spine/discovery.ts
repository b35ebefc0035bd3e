import { type ApiObject, type Resource, resourceTable } from '@wherry/api';
import { type ApiClient, readBody } from '@wherry/client';

/** A resource as the server tells of it, in its group's preferred version. */
export interface DiscoveredResource extends Resource {
  readonly verbs: readonly string[];
}

export interface Discovered {
  readonly resources: readonly DiscoveredResource[];
  /** Group versions whose resources could not be learned. */
  readonly failed: readonly string[];
}

interface AggregatedList {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly freshness?: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly scope?: string;
        readonly verbs?: readonly string[];
        readonly responseKind?: { readonly kind?: string };
      }[];
    }[];
  }[];
}

const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** What the server serves now, custom resources included. */
export async function discover(client: ApiClient, signal: AbortSignal): Promise<Discovered> {
  const [core, groups] = await Promise.all([fetch(client, '/api', signal), fetch(client, '/apis', signal)]);
  const resources: DiscoveredResource[] = [];
  const failed: string[] = [];
  for (const { metadata, versions } of [...(core.items ?? []), ...(groups.items ?? [])]) {
    const group = metadata?.name ?? '';
    const seen = new Set<string>();
    // Versions come in the order of preference; a resource counts in the first that has it.
    for (const { version, freshness, resources: served } of versions ?? []) {
      if (freshness === 'Stale') failed.push(group === '' ? version : `${group}/${version}`);
      for (const { resource, scope, verbs = [], responseKind } of served ?? []) {
        if (seen.has(resource)) continue;
        seen.add(resource);
        const kind = responseKind?.kind ?? '';
        resources.push({ group, version, resource, kind, namespaced: scope === 'Namespaced', verbs });
      }
    }
  }
  return { resources, failed };
}

async function fetch(client: ApiClient, path: string, signal: AbortSignal): Promise<AggregatedList> {
  const response = await client.raw({ method: 'GET', path, headers: { accept: ACCEPT }, signal });
  return JSON.parse((await readBody(response)).toString('utf8')) as AggregatedList;
}

/** Finds the resource behind an apiVersion and kind, as an owner reference names it. */
export function resourceOfKind(
  discovered: readonly DiscoveredResource[],
  apiVersion: string,
  kind: string,
): Resource<ApiObject> | undefined {
  const slash = apiVersion.indexOf('/');
  const group = slash === -1 ? '' : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const matches = (candidate: Resource) => candidate.group === group && candidate.kind === kind;
  const exact = resourceTable.find((candidate) => matches(candidate) && candidate.version === version);
  return exact ?? discovered.find(matches);
}

/** Events come and go in masses, own nothing and are owned by nothing. */
export function isEvents(resource: Resource): boolean {
  return resource.resource === 'events' && (resource.group === '' || resource.group === 'events.k8s.io');
}

/** The group a resource is best watched in: events and ingresses of two groups are the same objects. */
export function collectable(resource: DiscoveredResource): boolean {
  const needed = ['delete', 'list', 'watch'];
  return !isEvents(resource) && needed.every((verb) => resource.verbs.includes(verb));
}
