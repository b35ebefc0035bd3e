import { type ListMeta, notAcceptable } from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { ApiResponse } from '../http/exchange.ts';
import { mediaTypes } from '../http/negotiate.ts';
import { encodeValue, valueResponse } from '../http/respond.ts';
import type { StoredRequest } from './context.ts';
import { goType, metaApiVersion, partialOf } from './partial.ts';
import { protobufList } from './protobuf-list.ts';
import type { Found } from './read.ts';
import { servedBytes, servedObject, tableOf } from './render.ts';

/** Lists up to this size are sent in one piece. */
const WHOLE_BYTES_MAX = 64 * 1024;
const CHUNK_BYTES = 64 * 1024;
const COMMA = Buffer.from(',');
const LIST_END = Buffer.from(']}\n');

export async function listResponse(from: StoredRequest, found: Found, metadata: ListMeta): Promise<ApiResponse> {
  const { how, kind } = from;
  if (how.form === 'table') {
    return valueResponse(200, tableOf(from, found.entries, metadata), how);
  }
  const partial = how.form === 'partial';
  if (partial && !how.partialList) {
    throw notAcceptable(
      `you requested PartialObjectMetadata, but the requested object is a list (${goType(from)}List)`,
    );
  }
  const head = partial
    ? { kind: 'PartialObjectMetadataList', apiVersion: metaApiVersion(how), metadata }
    : { kind: `${kind.resource.kind}List`, apiVersion: kind.apiVersion, metadata };
  if (how.encoding === 'protobuf') {
    return protobufList(from, found.entries, head);
  }
  if (how.encoding !== 'json' || how.pretty) {
    const items = found.entries.map((entry) => (partial ? partialOf(entry.object(), how) : servedObject(kind, entry)));
    return {
      kind: 'bytes',
      status: 200,
      headers: { 'content-type': mediaTypes[how.encoding] },
      body: encodeValue({ ...head, items }, how),
    };
  }
  const headBytes = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`);
  const encode = jsonEncoder(from);
  const headers = { 'content-type': mediaTypes.json };
  if (sizeWithin(found.entries, WHOLE_BYTES_MAX)) {
    return { kind: 'bytes', status: 200, headers, body: Buffer.concat([...chunks(headBytes, found.entries, encode)]) };
  }
  return { kind: 'chunks', status: 200, headers, chunks: chunks(headBytes, found.entries, encode), compressible: true };
}

function jsonEncoder({ how, kind }: StoredRequest): (entry: Entry) => Buffer {
  if (how.form === 'partial') {
    return (entry) => Buffer.from(JSON.stringify(partialOf(entry.object(), how)));
  }
  return kind.conversion === undefined ? (entry) => entry.bytes : (entry) => servedBytes(kind, entry);
}

function sizeWithin(entries: readonly Entry[], limit: number): boolean {
  let size = 0;
  for (const entry of entries) {
    size += entry.bytes.length + 1;
    if (size > limit) {
      return false;
    }
  }
  return true;
}

/** The whole list never exists at once: a chunk is joined from cached bytes when the connection has room for it. */
function* chunks(head: Buffer, entries: readonly Entry[], encode: (entry: Entry) => Buffer): Generator<Buffer> {
  let parts: Buffer[] = [head];
  let size = head.length;
  let first = true;
  for (const entry of entries) {
    if (!first) {
      parts.push(COMMA);
    }
    first = false;
    const bytes = encode(entry);
    parts.push(bytes);
    size += bytes.length + 1;
    if (size >= CHUNK_BYTES) {
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
  }
  parts.push(LIST_END);
  yield Buffer.concat(parts);
}
