/** JSON values as a patch sees them; objects are never mutated, results share what did not change. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function jsonEqual(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) {
    return true;
  }
  if (isList(left) && isList(right)) {
    return left.length === right.length && left.every((item, index) => jsonEqual(item, right[index]));
  }
  if (!isObject(left) || !isObject(right)) {
    return false;
  }
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) {
    return false;
  }
  return keys.every((key) => Object.hasOwn(right, key) && jsonEqual(left[key], right[key]));
}

/** A patch that cannot be used; `kind` decides the HTTP status. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
  /** 'malformed': 400, the patch itself is wrong; 'unprocessable': 422, it does not fit this object. */
  readonly kind: 'malformed' | 'unprocessable' | 'tooLarge';

  constructor(kind: 'malformed' | 'unprocessable' | 'tooLarge', message: string) {
    super(message);
    this.kind = kind;
  }
}
