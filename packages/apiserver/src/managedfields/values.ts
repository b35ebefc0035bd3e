/** A JSON object, for reading. */
export type Bag = Readonly<Record<string, unknown>>;

export function isBag(value: unknown): value is Bag {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Nothing in it: absent, null, or an object without fields. */
export function isEmptyBag(value: unknown): boolean {
  if (!isBag(value)) return true;
  for (const _name in value) return false;
  return true;
}

export function isEmptyList(value: unknown): boolean {
  return !Array.isArray(value) || value.length === 0;
}

/** Whether two JSON values are the same; the order of fields does not matter. */
export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let at = 0; at < left.length; at += 1) if (!sameValue(left[at], right[at])) return false;
    return true;
  }
  return isBag(left) && isBag(right) && sameBag(left, right);
}

function sameBag(left: Bag, right: Bag): boolean {
  let count = 0;
  for (const name in left) {
    if (left[name] === undefined) continue;
    count += 1;
    if (!sameValue(left[name], right[name])) return false;
  }
  for (const name in right) if (right[name] !== undefined) count -= 1;
  return count === 0;
}
