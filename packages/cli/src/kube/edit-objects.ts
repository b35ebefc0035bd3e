import type { ApiObject } from '@wherry/api';
import type { DiscoveredResource } from './discovery.ts';
import { type Manifest, parseManifest, readManifests } from './manifests.ts';
import type { Session } from './session.ts';
import { VerbError } from './verb-error.ts';

export { type Manifest, parseManifest, readManifests };

export interface Placed {
  readonly resource: DiscoveredResource;
  readonly namespace: string | undefined;
  readonly object: ApiObject;
}

/**
 * Where a manifest's object belongs.
 * @throws VerbError when --namespace and the manifest name different namespaces
 */
export async function place(session: Session, object: ApiObject, source?: string): Promise<Placed> {
  const resource = await session.discovery.ofObject(object, source);
  if (!resource.namespaced) return { resource, namespace: undefined, object };
  const own = object.metadata?.namespace;
  if (session.namespaceGiven && own !== undefined && own !== session.namespace) {
    throw new VerbError(
      `the namespace from the provided object "${own}" does not match the namespace "${session.namespace}". You must pass '--namespace=${own}' to perform this operation.`,
    );
  }
  const namespace = own ?? session.namespace;
  return { resource, namespace, object: { ...object, metadata: { ...object.metadata, namespace } } };
}

export function scopeOf(namespace: string | undefined): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

/** For an object that is to be created: only one that exists has a version. */
export function withoutVersion(object: ApiObject): ApiObject {
  const { resourceVersion: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata };
}
