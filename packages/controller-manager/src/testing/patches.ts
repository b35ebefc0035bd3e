type Json = Record<string, unknown>;

const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lists that strategic merge patches merge by key in these tests. */
const MERGE_KEYS: Readonly<Record<string, string>> = { conditions: 'type', ownerReferences: 'uid' };

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const result: Json = isMap(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** As much of strategic merge as controllers send. */
export function strategicPatch(target: unknown, patch: unknown, field = ''): unknown {
  if (Array.isArray(patch) && MERGE_KEYS[field] !== undefined) return mergeLists(target, patch, MERGE_KEYS[field]);
  if (Array.isArray(patch) && field === 'finalizers') {
    return [...new Set([...(Array.isArray(target) ? target : []), ...patch])];
  }
  if (!isMap(patch)) return patch;
  const result: Json = isMap(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    const removed = /^\$deleteFromPrimitiveList\/(.+)$/.exec(key)?.[1];
    if (removed !== undefined) {
      const list = result[removed];
      const gone = Array.isArray(value) ? value : [];
      if (Array.isArray(list)) result[removed] = list.filter((entry) => !gone.includes(entry));
    } else if (value === null) delete result[key];
    else result[key] = strategicPatch(result[key], value, key);
  }
  return result;
}

function mergeLists(target: unknown, patch: readonly unknown[], mergeKey: string): unknown[] {
  let list: unknown[] = Array.isArray(target) ? [...target] : [];
  for (const entry of patch) {
    if (!isMap(entry)) continue;
    const { $patch: directive, ...rest } = entry;
    const same = (other: unknown) => isMap(other) && other[mergeKey] === entry[mergeKey];
    if (directive === 'delete') list = list.filter((other) => !same(other));
    else if (list.some(same)) list = list.map((other) => (same(other) && isMap(other) ? { ...other, ...rest } : other));
    else list.push(rest);
  }
  return list;
}
