import { type ApiObject, type LabelSelector, labelSelectorMatches, objectKey } from '@wherry/api';
import type { Informer } from '@wherry/client';

/** Keys of the owners in the object's namespace that would adopt it. An empty selector adopts nothing. */
export function orphanOwners<T extends ApiObject>(
  cache: Informer<T>,
  object: ApiObject,
  selectorOf: (object: T) => LabelSelector | undefined,
): readonly string[] {
  const labels = object.metadata?.labels;
  if (labels === undefined) return [];
  const keys: string[] = [];
  for (const candidate of cache.list()) {
    if (candidate.metadata?.namespace !== object.metadata?.namespace) continue;
    const selector = selectorOf(candidate);
    if (selector === undefined || isEmpty(selector)) continue;
    if (labelSelectorMatches(selector, labels)) keys.push(objectKey(candidate));
  }
  return keys;
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}
