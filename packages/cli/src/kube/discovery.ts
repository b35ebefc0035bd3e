import type { ApiObject, Resource } from '@wherry/api';
import { type ApiClient, readBody } from '@wherry/client';
import { VerbError } from './verb-error.ts';

/** A resource as the server describes it. */
export interface DiscoveredResource extends Resource {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
}

interface AggregatedResource {
  readonly resource: string;
  readonly responseKind: { readonly group?: string; readonly version?: string; readonly kind: string };
  readonly scope: string;
  readonly singularResource?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs: readonly string[];
}
interface AggregatedDiscovery {
  readonly items: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources?: readonly AggregatedResource[] }[];
  }[];
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** What the server serves, asked once per run. Order is the server's: core first, preferred versions first. */
export class Discovery {
  readonly #client: ApiClient;
  #resources: Promise<readonly DiscoveredResource[]> | undefined;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  all(): Promise<readonly DiscoveredResource[]> {
    this.#resources ??= this.#fetch();
    return this.#resources;
  }

  /** By plural, singular, short name or kind, each optionally as `name.group` or `name.version.group`. */
  async find(name: string): Promise<DiscoveredResource> {
    const wanted = name.toLowerCase();
    const found = (await this.all()).find((resource) => names(resource).includes(wanted));
    if (found === undefined) throw new VerbError(`the server doesn't have a resource type "${name}"`);
    return found;
  }

  /** The resources of a category such as `all`; empty when there is none of this name. */
  async category(name: string): Promise<readonly DiscoveredResource[]> {
    const members = (await this.all()).filter(({ categories }) => categories.includes(name));
    return members.filter((member, index) => members.findIndex((other) => sameStorage(other, member)) === index);
  }

  /** @param source where the object was read, for the message */
  async ofObject(object: ApiObject, source?: string): Promise<DiscoveredResource> {
    const { apiVersion = '', kind = '', metadata } = object;
    const found = (await this.all()).find(
      (resource) =>
        resource.kind === kind &&
        `${resource.group === '' ? '' : `${resource.group}/`}${resource.version}` === apiVersion,
    );
    if (found === undefined) {
      const from = source === undefined ? '' : ` from "${source}"`;
      throw new VerbError(
        `resource mapping not found for name: "${metadata?.name ?? ''}" namespace: "${metadata?.namespace ?? ''}"${from}: no matches for kind "${kind}" in version "${apiVersion}"\nensure CRDs are installed first`,
      );
    }
    return found;
  }

  /** What the scale subresource answers with: a kind of its own, which no collection holds. */
  async scale(): Promise<DiscoveredResource> {
    const autoscalers = await this.find('horizontalpodautoscalers');
    return { ...autoscalers, resource: 'scales', kind: 'Scale', version: 'v1' };
  }

  async #fetch(): Promise<readonly DiscoveredResource[]> {
    const documents = await Promise.all(
      ['/api', '/apis'].map(async (path) => {
        const response = await this.#client.raw({ method: 'GET', path, headers: { accept: AGGREGATED } });
        return JSON.parse((await readBody(response)).toString('utf8')) as AggregatedDiscovery;
      }),
    );
    return documents.flatMap(({ items }) =>
      items.flatMap(({ metadata, versions }) =>
        versions.flatMap(({ version, resources = [] }) =>
          resources.map((resource) => ({
            group: metadata?.name ?? '',
            version,
            resource: resource.resource,
            kind: resource.responseKind.kind,
            namespaced: resource.scope === 'Namespaced',
            singular: resource.singularResource ?? resource.responseKind.kind.toLowerCase(),
            shortNames: resource.shortNames ?? [],
            categories: resource.categories ?? [],
            verbs: resource.verbs,
          })),
        ),
      ),
    );
  }
}

function names({ resource, singular, shortNames, kind, group, version }: DiscoveredResource): readonly string[] {
  const plain = [resource, singular, kind.toLowerCase(), ...shortNames];
  return plain.flatMap((name) => [name, `${name}.${group}`, `${name}.${version}.${group}`]);
}

/** Events are served by two groups, from one place. */
function sameStorage(a: DiscoveredResource, b: DiscoveredResource): boolean {
  return a.resource === b.resource && a.kind === b.kind;
}
