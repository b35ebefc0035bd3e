import type { PodTemplateSpec } from '@wherry/api';

/** Upstream's alphabet for hashes in names: no vowels and no look-alikes. */
const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * Hash of a pod template for names and the pod-template-hash label: 32-bit FNV-1a over JSON with sorted keys, digits
 * mapped to the safe alphabet. Differs from upstream's value (which hashes Go's memory layout) but is as stable.
 * @param collisionCount salts the hash after a clash of names
 */
export function templateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  return safeHash(canonicalJson(template) + (collisionCount === undefined ? '' : `#${collisionCount}`));
}

/** Any text as a short hash that may stand in a name. */
export function safeHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    hash = Math.imul(hash ^ (code & 0xff), 0x01000193);
    if (code > 0xff) hash = Math.imul(hash ^ (code >>> 8), 0x01000193);
  }
  return safeEncode(String(hash >>> 0));
}

function safeEncode(text: string): string {
  let encoded = '';
  for (const char of text) encoded += SAFE_ALPHABET[char.charCodeAt(0) % SAFE_ALPHABET.length] ?? '';
  return encoded;
}

/**
 * JSON that is equal exactly when the values mean the same to the API: sorted keys, and absent, null, and empty
 * lists and maps alike left out, as upstream's semantic equality has it.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(prune(value)) ?? 'null';
}

function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((entry) => prune(entry) ?? null);
  if (typeof value !== 'object' || value === null) return value ?? undefined;
  const entries = Object.entries(value)
    .map(([key, entry]) => [key, prune(entry)] as const)
    .filter(([, entry]) => entry !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
