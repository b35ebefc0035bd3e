// How objects of a kind pass from one version to another.
import {
  type ApiObject,
  type Event,
  type EventsV1Event,
  groupVersion,
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerV1,
  type Resource,
} from '@wherry/api';
import { autoscalerToV1, autoscalerToV2 } from './convert/autoscaler.ts';
import { devicesToV1, devicesToV1beta1 } from './convert/devices.ts';
import { eventToCoreV1, eventToEventsV1 } from './convert/event.ts';

type Versioned = Pick<Resource, 'group' | 'version' | 'resource'>;
type Convert = (object: ApiObject) => ApiObject;

/** Makes objects of version `to` from those of version `from`; undefined where both versions are one. */
export function converterOf(from: Versioned, to: Versioned): Convert | undefined {
  if (from.group === to.group && from.version === to.version) return undefined;
  const apiVersion = groupVersion(to);
  // Versions that upstream only promoted have the same fields, and only say so.
  return (
    conversions[`${groupVersion(from)}/${from.resource}>${apiVersion}`] ?? ((object) => ({ ...object, apiVersion }))
  );
}

const conversions: Readonly<Record<string, Convert>> = {
  'autoscaling/v1/horizontalpodautoscalers>autoscaling/v2': (object) =>
    autoscalerToV2(object as HorizontalPodAutoscalerV1),
  'autoscaling/v2/horizontalpodautoscalers>autoscaling/v1': (object) =>
    autoscalerToV1(object as HorizontalPodAutoscaler),
  'v1/events>events.k8s.io/v1': (object) => eventToEventsV1(object as Event),
  'events.k8s.io/v1/events>v1': (object) => eventToCoreV1(object as EventsV1Event),
  ...deviceConversions(['resourceclaims', 'resourceclaimtemplates', 'resourceslices']),
};

function deviceConversions(resources: readonly string[]): Record<string, Convert> {
  return Object.fromEntries(
    resources.flatMap((resource) => [
      [`resource.k8s.io/v1beta1/${resource}>resource.k8s.io/v1`, devicesToV1],
      [`resource.k8s.io/v1/${resource}>resource.k8s.io/v1beta1`, devicesToV1beta1],
    ]),
  );
}
