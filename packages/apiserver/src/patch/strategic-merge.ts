import { isList, isObject, type Json, type JsonObject, jsonEqual, PatchError } from './json.ts';
import { setOwn } from './merge-patch.ts';
import { indexIn, keyOf, orderList, takeSpecialElements, unionOfScalars } from './strategic-lists.ts';

/** What strategic merge must know about an object's fields; `undefined` means merge as plain JSON. */
export interface MergeFacts {
  field(name: string): MergeField | undefined;
}

export interface MergeField {
  /** Facts of the value, of a list's items, or of a map's values. */
  readonly facts: MergeFacts | undefined;
  readonly mergeKey: string | undefined;
  readonly merge: boolean;
  readonly replace: boolean;
  readonly retainKeys: boolean;
}

const ORDER = '$setElementOrder/';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';
const RETAIN = '$retainKeys';
const PATCH = '$patch';

/**
 * Strategic merge patch, with the directives `$patch`, `$retainKeys`, `$setElementOrder/<list>` and
 * `$deleteFromPrimitiveList/<list>` (Kubernetes API conventions, "strategic merge patch").
 */
export function applyStrategicMerge(original: JsonObject, patch: Json, facts: MergeFacts | undefined): JsonObject {
  if (!isObject(patch)) {
    throw new PatchError('malformed', 'a strategic merge patch is a JSON object');
  }
  return mergeMap(original, patch, facts);
}

function mergeMap(original: JsonObject, patch: JsonObject, facts: MergeFacts | undefined): JsonObject {
  const directive = patch[PATCH];
  if (directive === 'replace') {
    const { [PATCH]: _directive, ...rest } = patch;
    return dropDirectives(rest) as JsonObject;
  }
  if (directive === 'delete') {
    return {};
  }
  if (directive !== undefined && directive !== 'merge') {
    throw new PatchError('malformed', `unknown patch type found: ${String(directive)}`);
  }
  const result: Record<string, Json> = { ...retained(original, patch) };
  const handled = new Set<string>([PATCH, RETAIN]);
  for (const key of Object.keys(patch)) {
    if (key.startsWith(DELETE_PRIMITIVES)) {
      deletePrimitives(result, key.slice(DELETE_PRIMITIVES.length), patch[key]);
      handled.add(key);
    }
  }
  for (const key of Object.keys(patch)) {
    if (key.startsWith(ORDER)) {
      const name = key.slice(ORDER.length);
      mergeOrdered(result, name, patch, patch[key], facts?.field(name));
      handled.add(key).add(name);
    }
  }
  for (const key of Object.keys(patch)) {
    if (!handled.has(key)) {
      mergeField(result, key, patch[key] ?? null, facts?.field(key));
    }
  }
  return result;
}

function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const keep = patch[RETAIN];
  if (keep === undefined) {
    return original;
  }
  if (!isList(keep)) {
    throw new PatchError('malformed', `invalid patch format of retainKeys list: ${JSON.stringify(keep)}`);
  }
  for (const key of Object.keys(patch)) {
    if (key !== RETAIN && !key.startsWith('$') && patch[key] !== null && !keep.includes(key)) {
      throw new PatchError('malformed', 'patch contains fields that are not in the retainKeys list');
    }
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => keep.includes(key)));
}

function deletePrimitives(result: Record<string, Json>, name: string, values: Json | undefined): void {
  if (!isList(values)) {
    throw new PatchError('malformed', `invalid patch format of $deleteFromPrimitiveList for ${name}`);
  }
  const current = result[name];
  if (isList(current)) {
    result[name] = current.filter((item) => !values.some((value) => jsonEqual(item, value)));
  }
}

function mergeOrdered(
  result: Record<string, Json>,
  name: string,
  patch: JsonObject,
  order: Json | undefined,
  field: MergeField | undefined,
): void {
  if (!isList(order)) {
    throw new PatchError('malformed', `invalid patch format of setElementOrder list for ${name}`);
  }
  const items = patch[name];
  if (items === null) {
    delete result[name];
    return;
  }
  const original = result[name];
  const mergeKey = field?.mergeKey;
  if (isList(items)) {
    checkOrder(items, order, mergeKey, name);
  }
  if (!isList(original) && !isList(items)) {
    return;
  }
  const server = isList(original) ? original : [];
  const merged = isList(items)
    ? isList(original)
      ? mergeList(original, items, field)
      : (dropDirectives(items) as readonly Json[])
    : server;
  result[name] = orderList(merged, order, server, mergeKey);
}

/** Every item of the patch must be named in the order list, in the same order. */
function checkOrder(items: readonly Json[], order: readonly Json[], mergeKey: string | undefined, name: string): void {
  let last = -1;
  for (const item of items) {
    if (isObject(item) && item[PATCH] !== undefined) {
      continue;
    }
    const at = indexIn(order, item, mergeKey);
    if (at <= last) {
      throw new PatchError(
        'malformed',
        `The order in patch list:\n${JSON.stringify(items)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n for ${name}`,
      );
    }
    last = at;
  }
}

function mergeField(result: Record<string, Json>, key: string, value: Json, field: MergeField | undefined): void {
  if (value === null) {
    delete result[key];
    return;
  }
  const current = Object.hasOwn(result, key) ? result[key] : undefined;
  if (isObject(value)) {
    const replaces = field?.replace === true && !field.merge;
    setOwn(
      result,
      key,
      isObject(current) && !replaces ? mergeMap(current, value, field?.facts) : (dropDirectives(value) as JsonObject),
    );
  } else if (isList(value) && isList(current) && field?.merge) {
    setOwn(result, key, mergeList(current, value, field));
  } else {
    setOwn(result, key, dropDirectives(value) ?? null);
  }
}

function mergeList(original: readonly Json[], patch: readonly Json[], field: MergeField | undefined): readonly Json[] {
  if (!field?.merge) {
    return dropDirectives(patch) as readonly Json[];
  }
  if (original.length === 0 && patch.length === 0) {
    return original;
  }
  const sample = original[0] ?? patch[0];
  if (!isObject(sample)) {
    return orderList(unionOfScalars(original, patch), patch, original, undefined);
  }
  const mergeKey = field.mergeKey;
  if (mergeKey === undefined) {
    throw new PatchError('malformed', 'cannot merge lists without merge key');
  }
  const special = takeSpecialElements(original, patch, mergeKey);
  const merged: Json[] = [...special.original];
  for (const item of special.patch) {
    if (!isObject(item)) {
      throw new PatchError('malformed', 'a list of objects cannot be merged with scalars');
    }
    keyOf(item, mergeKey);
    const at = indexIn(merged, item, mergeKey);
    const current = merged[at];
    if (isObject(current)) {
      merged[at] = mergeMap(current, item, field.facts);
    } else {
      merged.push(dropDirectives(item) as JsonObject);
    }
  }
  return orderList(merged, special.patch, original, mergeKey);
}

/** A value that meets nothing to merge with is stored without its directives and nulls. */
function dropDirectives(value: Json): Json | undefined {
  if (isList(value)) {
    return value
      .filter((item) => !(isObject(item) && item[PATCH] !== undefined && item[PATCH] !== 'merge'))
      .map((item) => dropDirectives(item) ?? null);
  }
  if (!isObject(value)) {
    return value;
  }
  const result: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item !== null && item !== undefined && key !== PATCH && key !== RETAIN && !isDirective(key)) {
      setOwn(result, key, dropDirectives(item) ?? null);
    }
  }
  return result;
}

function isDirective(key: string): boolean {
  return key.startsWith(ORDER) || key.startsWith(DELETE_PRIMITIVES);
}
