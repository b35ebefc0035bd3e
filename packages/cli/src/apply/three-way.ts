// The patch that client-side apply sends: what the manifest adds and changes against the live object, and what it has
// dropped since it was last applied. Everything else in the live object belongs to others and stays.
import type { SchemaNode } from '@wherry/api';

type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

/**
 * @param schema the kind's field facts, which say how lists merge; undefined (a custom resource): lists are replaced
 * @returns a strategic merge patch (a merge patch without schema); empty when nothing is to be done
 */
export function threeWayPatch(
  lastApplied: JsonObject,
  manifest: JsonObject,
  live: JsonObject,
  schema: SchemaNode | undefined,
): JsonObject {
  return diffObjects(lastApplied, manifest, live, schema);
}

function diffObjects(
  last: JsonObject,
  wanted: JsonObject,
  live: JsonObject,
  schema: SchemaNode | undefined,
): JsonObject {
  const patch: Record<string, Json> = {};
  for (const key of Object.keys(last)) {
    if (!(key in wanted) && key in live) patch[key] = null;
  }
  for (const [key, value] of Object.entries(wanted)) {
    const field = childOf(schema, key);
    const current = live[key];
    if (field?.merges === true && field.mergeKey === undefined && Array.isArray(value) && Array.isArray(current)) {
      Object.assign(patch, diffSets(key, last[key], value, current));
      continue;
    }
    const difference = diffValue(last[key], value, current, field);
    if (difference === undefined) continue;
    if (isObject(difference) && field?.retainKeys === true && isObject(value)) {
      patch[key] = { ...difference, $retainKeys: Object.keys(value).sort() };
    } else patch[key] = difference;
  }
  return patch;
}

/** What to send for one value; undefined when the live one is as wanted. */
function diffValue(last: Json, wanted: Json, live: Json, child: Child | undefined): Json | undefined {
  if (isObject(wanted) && isObject(live)) {
    const patch = diffObjects(isObject(last) ? last : {}, wanted, live, child?.schema);
    return Object.keys(patch).length === 0 ? undefined : patch;
  }
  if (Array.isArray(wanted) && Array.isArray(live) && child?.merges === true && child.mergeKey !== undefined) {
    return diffKeyed(Array.isArray(last) ? last : [], wanted, live, child.schema, child.mergeKey);
  }
  return equal(wanted, live) ? undefined : wanted;
}

/** Lists of objects with a merge key: items are patched by key, dropped ones deleted. */
function diffKeyed(
  last: readonly Json[],
  wanted: readonly Json[],
  live: readonly Json[],
  schema: SchemaNode | undefined,
  key: string,
): Json | undefined {
  const byKey = (items: readonly Json[]) => new Map(items.filter(isObject).map((item) => [item[key], item] as const));
  const [lastItems, wantedItems, liveItems] = [byKey(last), byKey(wanted), byKey(live)];
  const changes: Json[] = [];
  for (const [id, item] of wantedItems) {
    const current = liveItems.get(id);
    if (current === undefined) changes.push(item);
    else {
      const difference = diffObjects(lastItems.get(id) ?? {}, item, current, schema);
      if (Object.keys(difference).length > 0) changes.push({ ...difference, [key]: id });
    }
  }
  for (const id of lastItems.keys()) {
    if (!wantedItems.has(id) && liveItems.has(id)) changes.push({ $patch: 'delete', [key]: id });
  }
  return changes.length === 0 ? undefined : changes;
}

/** Lists of plain values that merge as sets (finalizers): additions, and a directive for what was dropped. */
function diffSets(key: string, last: Json, wanted: readonly Json[], live: readonly Json[]): JsonObject {
  const added = wanted.filter((value) => !live.includes(value));
  const before: readonly Json[] = Array.isArray(last) ? last : [];
  const dropped = before.filter((value) => !wanted.includes(value) && live.includes(value));
  return {
    ...(added.length === 0 ? {} : { [key]: added }),
    ...(dropped.length === 0 ? {} : { [`$deleteFromPrimitiveList/${key}`]: dropped }),
  };
}

interface Child {
  readonly schema: SchemaNode | undefined;
  readonly merges: boolean;
  readonly mergeKey: string | undefined;
  readonly retainKeys: boolean;
}

/** The facts of a field: of a list, the schema of its items. */
function childOf(schema: SchemaNode | undefined, key: string): Child | undefined {
  if (schema?.type === 'map') return { schema: schema.values, merges: false, mergeKey: undefined, retainKeys: false };
  const field = schema?.type === 'object' ? schema.fields.get(key) : undefined;
  if (field === undefined) return undefined;
  const { node, patchStrategy } = field;
  return {
    schema: node.type === 'array' ? node.items : node,
    merges: patchStrategy.includes('merge'),
    mergeKey: field.patchMergeKey,
    retainKeys: patchStrategy.includes('retainKeys'),
  };
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function equal(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && equal(a[key], b[key]));
}
