import type { ApiObject, Event, EventsV1Event } from '@wherry/api';
import type { Conversion } from './conversion.ts';

/** events.k8s.io names the same facts differently; core/v1 is stored. */
export function convertEvent(servedVersion: string, storedVersion: string): Conversion {
  return {
    toStored: (object) => toCore(object as EventsV1Event, storedVersion),
    fromStored: (object) => fromCore(object as Event, servedVersion),
  };
}

function toCore(event: EventsV1Event, apiVersion: string): ApiObject {
  const {
    regarding,
    note,
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    reportingController,
    ...rest
  } = event;
  return defined({
    ...rest,
    apiVersion,
    involvedObject: regarding ?? {},
    message: note,
    source: deprecatedSource ?? {},
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    count: deprecatedCount,
    reportingComponent: reportingController ?? '',
    reportingInstance: event.reportingInstance ?? '',
  });
}

function fromCore(event: Event, apiVersion: string): ApiObject {
  const { involvedObject, message, source, firstTimestamp, lastTimestamp, count, reportingComponent, ...rest } = event;
  return defined({
    ...rest,
    apiVersion,
    eventTime: event.eventTime ?? null,
    regarding: involvedObject,
    note: message,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
    reportingController: reportingComponent,
  });
}

function defined(fields: Record<string, unknown>): ApiObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as ApiObject;
}
