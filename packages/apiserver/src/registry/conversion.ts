import type { ApiObject, Resource } from '@wherry/api';
import { converterOf } from '../kinds/convert.ts';

/** Between a served version and the stored one, both ways and without loss. */
export interface Conversion {
  toStored(object: ApiObject): ApiObject;
  fromStored(object: ApiObject): ApiObject;
}

type Version = Pick<Resource, 'group' | 'version' | 'resource'>;

/** Undefined when both are the same. */
export function conversionBetween(served: Version, stored: Version): Conversion | undefined {
  const toStored = converterOf(served, stored);
  const fromStored = converterOf(stored, served);
  return toStored === undefined || fromStored === undefined ? undefined : { toStored, fromStored };
}
