import { canonicalJson } from '../pods/template-hash.ts';

/**
 * Leaves counts of zero out of a status, where upstream's encoding does: clients compare and print what is stored.
 * @param fields counts that are optional in upstream's types
 */
export function omitZeros<T extends object>(status: T, fields: readonly (keyof T & string)[]): T {
  const kept = Object.entries(status).filter(
    ([field, value]) => !(value === 0 && (fields as readonly string[]).includes(field)),
  );
  return Object.fromEntries(kept) as T;
}

/** Whether two statuses say the same; a missing count is zero. */
export function sameStatus(next: object, old: object | undefined): boolean {
  if (old === undefined) return false;
  const meaningful = (status: object) =>
    Object.fromEntries(Object.entries(status).filter(([, value]) => value !== 0 && value !== ''));
  return canonicalJson(meaningful(next)) === canonicalJson(meaningful(old));
}
