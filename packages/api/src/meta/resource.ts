// What names a resource on the wire, and what discovery says about it.
import type { ListMeta, ObjectMeta } from '../generated/types.ts';

/** What every stored object has. */
export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
}

export interface ApiList<T> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ListMeta;
  readonly items: readonly T[];
}

/** A resource and, at compile time only, the type of its objects. `group` is `''` for the core group. */
export interface Resource<T extends ApiObject = ApiObject> {
  readonly group: string;
  readonly version: string;
  /** Plural name as it stands in URLs. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly __type?: T;
}

/** `group`, `version` and `kind` are those of the body that the subresource reads and answers. */
export interface ServedSubresource {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

export interface ServedResource extends Resource {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** Whether this is the preferred version of its group. */
  readonly preferred: boolean;
  /** Whether deleting an object answers the object; most kinds answer a Status. */
  readonly returnsDeleted: boolean;
  readonly subresources: readonly ServedSubresource[];
}

/** `v1` for the core group, `apps/v1` otherwise. */
export function groupVersion(of: { readonly group: string; readonly version: string }): string {
  return of.group === '' ? of.version : `${of.group}/${of.version}`;
}

/** The two halves of an `apiVersion`; undefined if it has more than one slash or an empty half. */
export function parseGroupVersion(apiVersion: string): { group: string; version: string } | undefined {
  const cut = apiVersion.indexOf('/');
  if (cut === -1) return apiVersion === '' ? undefined : { group: '', version: apiVersion };
  const group = apiVersion.slice(0, cut);
  const version = apiVersion.slice(cut + 1);
  if (group === '' || version === '' || version.includes('/')) return undefined;
  return { group, version };
}
