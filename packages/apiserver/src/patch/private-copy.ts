import { isList, type Json } from './json.ts';
import { setOwn } from './merge-patch.ts';

/** A value that shares nothing with the original, faster than by way of its text. */
export function privateCopy(value: Json): Json {
  if (isList(value)) return value.map(privateCopy);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, Json> = {};
  for (const name of Object.keys(value)) setOwn(copy, name, privateCopy(value[name] as Json));
  return copy;
}
