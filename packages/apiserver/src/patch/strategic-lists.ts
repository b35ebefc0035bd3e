import { isObject, type Json, type JsonObject, jsonEqual, PatchError } from './json.ts';

/**
 * Order rules of strategic merge (Kubernetes design document "preserve order in strategic merge patch"):
 * items of the patch come in the patch's order, items only the server has keep their own order, and the two
 * are woven so that pairs both of which the server knew stay in the server's order.
 */
export function orderList(
  merged: readonly Json[],
  patchOrder: readonly Json[],
  serverOrder: readonly Json[],
  mergeKey: string | undefined,
): readonly Json[] {
  const fromPatch: Json[] = [];
  const serverOnly: Json[] = [];
  for (const item of merged) {
    (indexIn(patchOrder, item, mergeKey) >= 0 ? fromPatch : serverOnly).push(item);
  }
  sortBy(fromPatch, patchOrder, mergeKey);
  sortBy(serverOnly, serverOrder, mergeKey);
  return weave(serverOnly, fromPatch, serverOrder, mergeKey);
}

function sortBy(items: Json[], order: readonly Json[], mergeKey: string | undefined): void {
  const ranks = new Map(items.map((item) => [item, indexIn(order, item, mergeKey)]));
  items.sort((left, right) => (ranks.get(left) ?? 0) - (ranks.get(right) ?? 0));
}

function weave(
  left: readonly Json[],
  right: readonly Json[],
  serverOrder: readonly Json[],
  mergeKey: string | undefined,
): readonly Json[] {
  const result: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const l = left[i];
    const r = right[j];
    if (l === undefined) {
      result.push(r as Json);
      j += 1;
    } else if (r === undefined) {
      result.push(l);
      i += 1;
    } else {
      const li = indexIn(serverOrder, l, mergeKey);
      const ri = indexIn(serverOrder, r, mergeKey);
      if (li >= 0 && ri >= 0 && li < ri) {
        result.push(l);
        i += 1;
      } else {
        result.push(r);
        j += 1;
      }
    }
  }
  return result;
}

export function indexIn(list: readonly Json[], item: Json, mergeKey: string | undefined): number {
  if (mergeKey === undefined || !isObject(item)) {
    return list.findIndex((other) => jsonEqual(other, item));
  }
  const value = item[mergeKey];
  return list.findIndex((other) => isObject(other) && jsonEqual(other[mergeKey], value));
}

/** A list of scalars keeps the first of equal values. */
export function unionOfScalars(left: readonly Json[], right: readonly Json[]): readonly Json[] {
  return [...new Set([...left, ...right])];
}

export interface SpecialElements {
  readonly original: readonly Json[];
  readonly patch: readonly Json[];
  /** `$patch: replace` in any element replaces the list. */
  readonly replaced: boolean;
}

/** Takes `$patch: delete|replace` elements out of a patch list and carries out the deletions. */
export function takeSpecialElements(
  original: readonly Json[],
  patch: readonly Json[],
  mergeKey: string,
): SpecialElements {
  const rest: Json[] = [];
  let left = original;
  let replaced = false;
  for (const item of patch) {
    const directive = isObject(item) ? item['$patch'] : undefined;
    if (directive === undefined) {
      rest.push(item);
    } else if (directive === 'delete') {
      const value = keyOf(item as JsonObject, mergeKey);
      left = left.filter((other) => !isObject(other) || !jsonEqual(other[mergeKey], value));
    } else if (directive === 'replace') {
      replaced = true;
    } else if (directive === 'merge') {
      throw new PatchError('malformed', 'merging lists cannot yet be specified in the patch');
    } else {
      throw new PatchError('malformed', `unknown patch type found: ${String(directive)}`);
    }
  }
  return replaced ? { original: [], patch: rest, replaced } : { original: left, patch: rest, replaced };
}

export function keyOf(item: JsonObject, mergeKey: string): Json {
  const value = item[mergeKey];
  if (value === undefined) {
    throw new PatchError('malformed', `map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
  }
  return value;
}
