import type { Resource } from '@wherry/api';

/** Path of a resource's collection, in a namespace or (without one) across all of them. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${resource.resource}`;
}

/** @throws when a namespaced resource is named without its namespace: the path would mean something else. */
export function objectPath(resource: Resource, name: string, namespace?: string, subresource?: string): string {
  if (name === '') throw new TypeError(`Cannot address ${resource.resource}: the name is empty`);
  if (resource.namespaced && (namespace === undefined || namespace === '')) {
    throw new TypeError(`Cannot address ${resource.resource} "${name}": it needs a namespace`);
  }
  const path = `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}
