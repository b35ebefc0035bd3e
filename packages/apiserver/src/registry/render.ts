import { type ApiObject, notAcceptable, type Table, type TableRow } from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { BytesResponse, Headers } from '../http/exchange.ts';
import { mediaTypes } from '../http/negotiate.ts';
import { ENVELOPE_END, envelopeStart } from '../http/protobuf/encode.ts';
import { jsonBytesResponse, valueResponse } from '../http/respond.ts';
import type { ResourceRequest } from './context.ts';
import { goType, metaApiVersion, partialOf } from './partial.ts';
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
      if (how.encoding === 'protobuf' && kind.conversion === undefined) {
        return protobufResponse(from, status, entry, headers);
      }
      return jsonBytesResponse(status, servedBytes(kind, entry), how, headers);
    case 'partial':
      if (how.partialList) {
        throw notAcceptable(
          `you requested PartialObjectMetadataList, but the requested object is not a list (${goType(from)})`,
        );
      }
      return valueResponse(status, partialOf(entry.object(), how), how, headers);
    case 'table':
      return valueResponse(status, tableOf(from, [entry], { resourceVersion: String(entry.revision) }), how, headers);
  }
}

/** The cached message with the name of its kind around it. */
function protobufResponse(from: ResourceRequest, status: number, entry: Entry, headers: Headers): BytesResponse {
  const { kind, registry } = from;
  const message = registry.watchCache.protobuf.of(entry);
  const start = envelopeStart(kind.apiVersion, kind.resource.kind, message.length);
  const body = Buffer.concat([start, message, ENVELOPE_END]);
  return { kind: 'bytes', status, headers: { 'content-type': mediaTypes.protobuf, ...headers }, body };
}

/** A Table in either version of `meta.k8s.io`. */
type AnyTable = Omit<Table, 'apiVersion'> & { readonly apiVersion: string };

export function tableOf(from: ResourceRequest, entries: readonly Entry[], metadata: Table['metadata']): AnyTable {
  const nowMs = from.registry.clock.now();
  const include = includeObject(from.query);
  const strategy = from.kind.stored?.strategy;
  return {
    kind: 'Table',
    apiVersion: metaApiVersion(from.how),
    metadata,
    columnDefinitions: columnsOf(strategy),
    rows: entries.map(
      (entry): TableRow => tableRow(strategy, entry.object(), servedObject(from.kind, entry), include, nowMs, from.how),
    ),
  };
}

export function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject');
  return value === 'None' || value === 'Object' ? value : 'Metadata';
}
