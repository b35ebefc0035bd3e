import type { ApiObject, Status } from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { EventType } from '../cache/event.ts';
import type { WatchForm } from '../cache/watch-form.ts';
import { mediaTypes } from '../http/negotiate.ts';
import { ENVELOPE_END, encodeObject, envelopeStart, watchFrame } from '../http/protobuf/encode.ts';
import type { StoredRequest } from './context.ts';
import { metaApiVersion, partialOf } from './partial.ts';
import { includeObject, servedBytes, servedObject, tableOf } from './render.ts';

type FrameType = EventType | 'BOOKMARK' | 'ERROR';

/** How a watch writes its events. */
export function watchForm(from: StoredRequest): WatchForm {
  if (from.how.encoding === 'protobuf') {
    return protobufForm(from);
  }
  // The columns of a Table come with the first event and not again.
  return from.how.form === 'table' ? { ...jsonForm(from, true), after: jsonForm(from, false) } : jsonForm(from, true);
}

function jsonForm(from: StoredRequest, columns: boolean): WatchForm {
  const { kind, how } = from;
  const encode = jsonEncoder(from, columns);
  const table = how.form === 'table' ? `${includeObject(from.query)} ${columns}` : '';
  return {
    name: `json ${how.form} ${how.metaVersion} ${kind.apiVersion} ${table}`,
    contentType: mediaTypes.json,
    frame: (type, entry) => jsonFrame(type, encode(entry)),
    bookmark: (revision, initialEventsEnd) =>
      jsonFrame('BOOKMARK', Buffer.from(JSON.stringify(bookmarkObject(from, revision, initialEventsEnd)))),
    error: (status) => jsonFrame('ERROR', Buffer.from(JSON.stringify(status))),
  };
}

function jsonEncoder(from: StoredRequest, columns: boolean): (entry: Entry) => Buffer {
  const { kind, how } = from;
  switch (how.form) {
    case 'object':
      return (entry) => servedBytes(kind, entry);
    case 'partial':
      return (entry) => Buffer.from(JSON.stringify(partialOf(entry.object(), how)));
    case 'table':
      return (entry) => {
        const table = tableOf(from, [entry], { resourceVersion: String(entry.revision) });
        return Buffer.from(JSON.stringify(columns ? table : { ...table, columnDefinitions: null }));
      };
  }
}

const FRAME_END = Buffer.from('}\n');
const frameStarts = new Map<FrameType, Buffer>(
  (['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'] as const).map((type) => [
    type,
    Buffer.from(`{"type":"${type}","object":`),
  ]),
);

function jsonFrame(type: FrameType, object: Buffer): Buffer {
  return Buffer.concat([frameStarts.get(type) ?? Buffer.alloc(0), object, FRAME_END]);
}

function protobufForm(from: StoredRequest): WatchForm {
  const { kind, how } = from;
  const whole = (type: FrameType, object: ApiObject | Status): Buffer => watchFrame(type, [encodeObject(object)]);
  return {
    name: `protobuf ${how.form} ${how.metaVersion} ${kind.apiVersion}`,
    contentType: `${mediaTypes.protobuf};stream=watch`,
    frame: (type, entry) => {
      if (how.form === 'partial') {
        return whole(type, partialOf(entry.object(), how));
      }
      if (kind.conversion !== undefined || type === 'DELETED') {
        // What has gone is not worth keeping: no list will ask for it.
        return whole(type, servedObject(kind, entry));
      }
      const message = from.registry.watchCache.protobuf.of(entry);
      const start = envelopeStart(kind.apiVersion, kind.resource.kind, message.length);
      return watchFrame(type, [start, message, ENVELOPE_END]);
    },
    bookmark: (revision, initialEventsEnd) => whole('BOOKMARK', bookmarkObject(from, revision, initialEventsEnd)),
    error: (status) => whole('ERROR', status),
  };
}

/** An empty object that carries a revision. */
function bookmarkObject(from: StoredRequest, revision: number, initialEventsEnd: boolean): ApiObject {
  const { kind, how } = from;
  const named =
    how.form === 'partial'
      ? { kind: 'PartialObjectMetadata', apiVersion: metaApiVersion(how) }
      : { kind: kind.resource.kind, apiVersion: kind.apiVersion };
  const metadata = {
    resourceVersion: String(revision),
    ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  };
  if (how.form !== 'table') {
    return { ...named, metadata };
  }
  const table = {
    kind: 'Table',
    apiVersion: metaApiVersion(how),
    metadata: { resourceVersion: String(revision) },
    columnDefinitions: null,
    rows: [{ cells: [], object: { ...named, metadata } }],
  };
  return table;
}
