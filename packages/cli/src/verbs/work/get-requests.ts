import { collectionPath, type ListOptions, objectPath } from '@wherry/client';
import type { Selection } from '../../kube/selection.ts';
import type { Session } from '../../kube/session.ts';
import type { GetFlags } from '../get.ts';

export const TABLE_ACCEPT = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** Whole objects are needed beside the cells only to sort by their fields. */
export function includeObject(flags: GetFlags): string {
  return flags.sortBy === undefined ? 'Metadata' : 'Object';
}

/** Where a selection is read: the object itself, or its collection with the selectors. */
export function requestPath(
  session: Session,
  { resource, name, namespace = session.namespace }: Selection,
  flags: GetFlags,
  query: Readonly<Record<string, string>>,
): string {
  const parameters = new URLSearchParams(query);
  if (name !== undefined) return `${objectPath(resource, name, namespace)}?${parameters}`;
  const options = listOptions(session, flags);
  if (options.labelSelector !== undefined) parameters.set('labelSelector', options.labelSelector);
  if (options.fieldSelector !== undefined) parameters.set('fieldSelector', options.fieldSelector);
  return `${collectionPath(resource, options.namespace)}?${parameters}`;
}

/** Where a selection is watched; a single object through its collection. */
export function watchPath(
  session: Session,
  { resource, name, namespace = session.namespace }: Selection,
  flags: GetFlags,
  query: Readonly<Record<string, string>>,
): string {
  const collection = { resource };
  if (name === undefined) return requestPath(session, collection, flags, query);
  const parameters = new URLSearchParams({ ...query, fieldSelector: `metadata.name=${name}` });
  return `${collectionPath(resource, namespace)}?${parameters}`;
}

export function listOptions(session: Session, flags: GetFlags): ListOptions {
  return {
    ...(flags.allNamespaces === true ? {} : { namespace: session.namespace }),
    ...(flags.selector === undefined ? {} : { labelSelector: flags.selector }),
    ...(flags.fieldSelector === undefined ? {} : { fieldSelector: flags.fieldSelector }),
  };
}

export function labelOptions(flags: GetFlags): {
  readonly showLabels: boolean;
  readonly labelColumns: readonly string[];
} {
  return { showLabels: flags.showLabels === true, labelColumns: flags.labelColumns ?? [] };
}

export function showsNamespaces(flags: GetFlags, group: readonly Selection[]): boolean {
  return flags.allNamespaces === true && group[0]?.resource.namespaced === true;
}
