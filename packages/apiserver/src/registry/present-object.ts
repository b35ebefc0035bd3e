import type { ApiObject } from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { Json } from '../patch/json.ts';
import { privateCopy } from '../patch/private-copy.ts';
import { servedBytes, servedObject } from './render.ts';
import type { ServedKind } from './served-kind.ts';

/**
 * The object in the served version, for changing: decoding and defaulting work in place. Its managedFields are the
 * shared ones, which nothing changes in place, and keep their texts.
 */
export function presentObject(kind: ServedKind, entry: Entry): ApiObject {
  const { metadata: { managedFields, ...metadata } = {}, ...rest } = servedObject(kind, entry);
  const copy = privateCopy({ ...rest, metadata } as unknown as Json) as unknown as ApiObject;
  return managedFields === undefined ? copy : { ...copy, metadata: { ...copy.metadata, managedFields } };
}

/** The same as plain JSON throughout, for patches that look into managedFields. */
export function presentJson(kind: ServedKind, entry: Entry): Json {
  return JSON.parse(servedBytes(kind, entry).toString()) as Json;
}
