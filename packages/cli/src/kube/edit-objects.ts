import type { ApiObject } from '@wherry/api';
import { Failure } from '../failure.ts';
import type { DiscoveredResource } from './discovery.ts';
import { parseManifest, readManifests } from './manifests.ts';
import type { Session } from './session.ts';

export { parseManifest, readManifests };

export interface Placed {
  readonly resource: DiscoveredResource;
  readonly namespace: string | undefined;
  readonly object: ApiObject;
}

/**
 * Where a manifest's object belongs.
 * @throws Failure when --namespace and the manifest name different namespaces
 */
export async function place(session: Session, object: ApiObject): Promise<Placed> {
  const resource = await session.discovery.ofObject(object);
  if (!resource.namespaced) return { resource, namespace: undefined, object };
  const own = object.metadata?.namespace;
  if (session.namespaceGiven && own !== undefined && own !== session.namespace) {
    throw new Failure(
      `the namespace from the provided object "${own}" does not match the namespace "${session.namespace}"`,
    );
  }
  const namespace = own ?? session.namespace;
  return { resource, namespace, object: { ...object, metadata: { ...object.metadata, namespace } } };
}

export function scopeOf(namespace: string | undefined): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}
