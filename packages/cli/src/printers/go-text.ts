import { byBytes } from './go-json.ts';

/** A value as Go's fmt prints it: `map[a:1 b:2]`, `[x y]`. kubectl's custom columns show values so. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => byBytes(a, b));
  return `map[${entries.map(([key, one]) => `${key}:${goText(one)}`).join(' ')}]`;
}
