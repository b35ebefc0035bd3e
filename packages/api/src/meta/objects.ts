// Reading the metadata that all objects have.
import type { ObjectMeta, OwnerReference } from '../generated/types.ts';
import { type ApiObject, groupVersion, type Resource } from './resource.ts';

/** `namespace/name`, or `name` for objects without a namespace. The key of informers and work queues. */
export function objectKey(object: ApiObject): string {
  const namespace = object.metadata?.namespace;
  const name = object.metadata?.name ?? '';
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const cut = key.indexOf('/');
  return cut === -1 ? { namespace: '', name: key } : { namespace: key.slice(0, cut), name: key.slice(cut + 1) };
}

/** The owner that manages the object; there is at most one. */
export function controllerOf(meta: ObjectMeta | undefined): OwnerReference | undefined {
  return meta?.ownerReferences?.find((owner) => owner.controller === true);
}

export function isControlledBy(object: ApiObject, owner: ApiObject): boolean {
  const uid = controllerOf(object.metadata)?.uid;
  return uid !== undefined && uid === owner.metadata?.uid;
}

/** The reference that makes `owner` the controller of a new object. */
export function controllerReference(resource: Resource, owner: ApiObject): OwnerReference {
  return {
    apiVersion: groupVersion(resource),
    kind: resource.kind,
    name: owner.metadata?.name ?? '',
    uid: owner.metadata?.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

export function isBeingDeleted(object: ApiObject): boolean {
  return object.metadata?.deletionTimestamp !== undefined;
}

export function hasFinalizer(object: ApiObject, finalizer: string): boolean {
  return object.metadata?.finalizers?.includes(finalizer) ?? false;
}
