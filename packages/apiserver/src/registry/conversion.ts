import type { ApiObject, Resource } from '@wherry/api';
import { convertEvent } from './convert-events.ts';
import { convertAutoscaler } from './convert-autoscalers.ts';

/** Between a served version and the stored one, both ways and without loss. */
export interface Conversion {
  toStored(object: ApiObject): ApiObject;
  fromStored(object: ApiObject): ApiObject;
}

type Version = Pick<Resource, 'group' | 'version' | 'resource' | 'kind'> & { readonly apiVersion?: string };

/** Undefined when both are the same. */
export function conversionBetween(served: Version, stored: Version & { readonly apiVersion: string }): Conversion | undefined {
  if (served.group === stored.group && served.version === stored.version) {
    return undefined;
  }
  const servedVersion = served.group === '' ? served.version : `${served.group}/${served.version}`;
  if (served.group === 'events.k8s.io') {
    return convertEvent(servedVersion, stored.apiVersion);
  }
  if (served.resource === 'horizontalpodautoscalers') {
    return convertAutoscaler(servedVersion, stored.apiVersion);
  }
  // Graduated without a change of shape, except resource.k8s.io/v1beta1, whose requests lack the `exactly` level.
  return {
    toStored: (object) => ({ ...object, apiVersion: stored.apiVersion }),
    fromStored: (object) => ({ ...object, apiVersion: servedVersion }),
  };
}
