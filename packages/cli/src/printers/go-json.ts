const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/**
 * JSON as Go's encoding/json writes maps, and so kubectl: keys sorted, and `<`, `>`, `&` escaped. The annotation of
 * client-side apply must be the same text from both, or each would find the other's to be a change.
 * @param indent blanks per level; 0 is one line
 */
export function goJson(value: unknown, indent = 0): string {
  return JSON.stringify(sorted(value), undefined, indent).replace(/[<>&\u2028\u2029]/g, (one) => escapes[one] ?? one);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => byBytes(a, b));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one)]));
}

/** Go compares strings by their bytes. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
