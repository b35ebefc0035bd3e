import type { ApiObject, PartialObjectMetadata, Table, TableRow } from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { WatchForm } from '../cache/watcher.ts';
import type { BytesResponse, Headers } from '../http/exchange.ts';
import type { ObjectForm } from '../http/negotiate.ts';
import { jsonBytesResponse, valueResponse } from '../http/respond.ts';
import type { ResourceRequest } from './context.ts';
import type { ServedKind } from './served-kind.ts';
import { columnsOf, type IncludeObject, tableRow } from './table.ts';

/** The entry's object in the version that was asked for. */
export function servedObject(kind: ServedKind, entry: Entry): ApiObject {
  const object = entry.object();
  return kind.conversion === undefined ? object : kind.conversion.fromStored(object);
}

/** JSON bytes in the version that was asked for; the cached ones wherever possible. */
export function servedBytes(kind: ServedKind, entry: Entry): Buffer {
  return kind.conversion === undefined
    ? entry.bytes
    : Buffer.from(JSON.stringify(kind.conversion.fromStored(entry.object())));
}

export function partialOf(object: ApiObject): PartialObjectMetadata {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata ?? {} };
}

/** The answer that carries one stored object. */
export function entryResponse(
  from: ResourceRequest,
  status: number,
  entry: Entry,
  headers: Headers = {},
): BytesResponse {
  const { kind, how } = from;
  switch (how.form) {
    case 'object':
      return jsonBytesResponse(status, servedBytes(kind, entry), how, headers);
    case 'partial':
      return valueResponse(status, partialOf(entry.object()), how, headers);
    case 'table':
      return valueResponse(status, tableOf(from, [entry], { resourceVersion: String(entry.revision) }), how, headers);
  }
}

export function tableOf(from: ResourceRequest, entries: readonly Entry[], metadata: Table['metadata']): Table {
  const nowMs = from.registry.clock.now();
  const include = includeObject(from.query);
  const strategy = from.kind.stored?.strategy;
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columnsOf(strategy),
    rows: entries.map(
      (entry): TableRow => tableRow(strategy, entry.object(), servedObject(from.kind, entry), include, nowMs),
    ),
  };
}

export function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject');
  return value === 'None' || value === 'Object' ? value : 'Metadata';
}

/** How a watch writes its objects. */
export function watchForm(from: ResourceRequest, form: ObjectForm): WatchForm {
  const { kind } = from;
  const bookmarkKind =
    form === 'partial'
      ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' }
      : { kind: kind.resource.kind, apiVersion: kind.apiVersion };
  const bookmark = (revision: number, initialEventsEnd: boolean): Buffer => {
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    };
    if (form === 'table') {
      const rows = [{ cells: [], object: { ...bookmarkKind, metadata } }];
      return Buffer.from(
        JSON.stringify({
          kind: 'Table',
          apiVersion: 'meta.k8s.io/v1',
          metadata: { resourceVersion: String(revision) },
          columnDefinitions: null,
          rows,
        }),
      );
    }
    return Buffer.from(JSON.stringify({ ...bookmarkKind, metadata }));
  };
  switch (form) {
    case 'object':
      return { name: `json ${kind.apiVersion}`, encode: (entry) => servedBytes(kind, entry), bookmark };
    case 'partial':
      return { name: 'partial', encode: (entry) => Buffer.from(JSON.stringify(partialOf(entry.object()))), bookmark };
    case 'table':
      return {
        name: `table ${kind.apiVersion} ${includeObject(from.query)}`,
        encode: (entry) =>
          Buffer.from(JSON.stringify(tableOf(from, [entry], { resourceVersion: String(entry.revision) }))),
        bookmark,
      };
  }
}
