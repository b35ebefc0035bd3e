import type { ApiObject } from '@wherry/api';
import type { Representation } from '../http/negotiate.ts';
import type { ResourceRequest } from './context.ts';

/** `meta.k8s.io` in the version that the client asked for. */
export function metaApiVersion(how: Representation): string {
  return `meta.k8s.io/${how.metaVersion}`;
}

export function partialOf(object: ApiObject, how: Representation): ApiObject {
  return { kind: 'PartialObjectMetadata', apiVersion: metaApiVersion(how), metadata: object.metadata ?? {} };
}

/** Upstream names its internal types in refusals. */
export function goType({ kind }: ResourceRequest): string {
  const { group, kind: name } = kind.resource;
  return `*${group === '' ? 'core' : (group.split('.')[0] ?? '')}.${name}`;
}
