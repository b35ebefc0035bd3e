// Which version of a kind is stored, and how the others are made from it.
import {
  type ApiObject,
  type Event,
  type EventsV1Event,
  groupVersion,
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerV1,
  type Resource,
  resourceTable,
} from '@wherry/api';
import { autoscalerToV1, autoscalerToV2 } from './convert/autoscaler.ts';
import { devicesToV1, devicesToV1beta1 } from './convert/devices.ts';
import { eventToCoreV1, eventToEventsV1 } from './convert/event.ts';

export type Versioned = Pick<Resource, 'group' | 'version' | 'resource'>;

/**
 * The resource under which objects of `of` are stored: the first version that discovery lists for them, and core/v1
 * for Events. Undefined for resources that are not served at all.
 */
export function storageResource(of: Pick<Resource, 'group' | 'resource'>): Resource | undefined {
  return storedBy.get(`${of.group === 'events.k8s.io' ? '' : of.group}/${of.resource}`);
}

/** `object` in the version of `to`; the same object where both versions are one. */
export function convert(object: ApiObject, from: Versioned, to: Versioned): ApiObject {
  if (from.group === to.group && from.version === to.version) return object;
  const through = conversions[`${groupVersion(from)}/${from.resource}>${groupVersion(to)}`];
  // Versions that upstream only promoted have the same fields, and only say so.
  return through === undefined ? { ...object, apiVersion: groupVersion(to) } : through(object);
}

export function toStorage(object: ApiObject, from: Versioned): ApiObject {
  const stored = storageResource(from);
  return stored === undefined ? object : convert(object, from, stored);
}

export function fromStorage(object: ApiObject, to: Versioned): ApiObject {
  const stored = storageResource(to);
  return stored === undefined ? object : convert(object, stored, to);
}

const conversions: Readonly<Record<string, (object: ApiObject) => ApiObject>> = {
  'autoscaling/v1/horizontalpodautoscalers>autoscaling/v2': (object) =>
    autoscalerToV2(object as HorizontalPodAutoscalerV1),
  'autoscaling/v2/horizontalpodautoscalers>autoscaling/v1': (object) =>
    autoscalerToV1(object as HorizontalPodAutoscaler),
  'v1/events>events.k8s.io/v1': (object) => eventToEventsV1(object as Event),
  'events.k8s.io/v1/events>v1': (object) => eventToCoreV1(object as EventsV1Event),
  ...deviceConversions(['resourceclaims', 'resourceclaimtemplates', 'resourceslices']),
};

function deviceConversions(resources: readonly string[]): Record<string, (object: ApiObject) => ApiObject> {
  return Object.fromEntries(
    resources.flatMap((resource) => [
      [`resource.k8s.io/v1beta1/${resource}>resource.k8s.io/v1`, devicesToV1],
      [`resource.k8s.io/v1/${resource}>resource.k8s.io/v1beta1`, devicesToV1beta1],
    ]),
  );
}

const storedBy = new Map<string, Resource>();
for (const resource of resourceTable) {
  const key = `${resource.group}/${resource.resource}`;
  if (!storedBy.has(key)) storedBy.set(key, resource);
}
