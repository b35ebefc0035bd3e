// Events: one kind under two groups, with other names for most of its fields.
import type { Event, EventsV1Event } from '@wherry/api';

/** core/v1 name → events.k8s.io/v1 name, where they differ. */
const newNames: Readonly<Record<string, string>> = {
  involvedObject: 'regarding',
  message: 'note',
  reportingComponent: 'reportingController',
  count: 'deprecatedCount',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  source: 'deprecatedSource',
};
const oldNames = Object.fromEntries(Object.entries(newNames).map(([old, next]) => [next, old]));

export function eventToEventsV1(event: Event): EventsV1Event {
  const renamed = rename(event, newNames);
  return { eventTime: null, ...renamed, apiVersion: 'events.k8s.io/v1', kind: 'Event' } as unknown as EventsV1Event;
}

export function eventToCoreV1(event: EventsV1Event): Event {
  const { regarding = {}, ...rest } = event;
  const renamed = rename(rest, oldNames);
  return { ...renamed, involvedObject: regarding, apiVersion: 'v1', kind: 'Event' } as unknown as Event;
}

function rename(object: object, names: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([field, value]) => [names[field] ?? field, value]));
}
