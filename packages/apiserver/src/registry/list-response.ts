import type { ListMeta } from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { ApiResponse } from '../http/exchange.ts';
import { encodeValue, valueResponse } from '../http/respond.ts';
import type { StoredRequest } from './context.ts';
import type { Found } from './read.ts';
import { partialOf, servedBytes, servedObject, tableOf } from './render.ts';

/** Lists up to this size are sent in one piece. */
const WHOLE_BYTES_MAX = 64 * 1024;
const CHUNK_BYTES = 64 * 1024;
const COMMA = Buffer.from(',');
const LIST_END = Buffer.from(']}\n');

export function listResponse(from: StoredRequest, found: Found, metadata: ListMeta): ApiResponse {
  const { how, kind } = from;
  if (how.form === 'table') {
    return valueResponse(200, tableOf(from, found.entries, metadata), how);
  }
  if (how.form === 'partial') {
    const items = found.entries.map((entry) => partialOf(entry.object()));
    return valueResponse(
      200,
      { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items },
      how,
    );
  }
  const head = { kind: `${kind.resource.kind}List`, apiVersion: kind.apiVersion, metadata };
  if (how.encoding !== 'json' || how.pretty) {
    const items = found.entries.map((entry) => servedObject(kind, entry));
    return {
      kind: 'bytes',
      status: 200,
      headers: { 'content-type': `application/${how.encoding}` },
      body: encodeValue({ ...head, items }, how),
    };
  }
  const headBytes = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`);
  const encode =
    kind.conversion === undefined ? (entry: Entry) => entry.bytes : (entry: Entry) => servedBytes(kind, entry);
  const headers = { 'content-type': 'application/json' };
  if (sizeWithin(found.entries, WHOLE_BYTES_MAX)) {
    return { kind: 'bytes', status: 200, headers, body: Buffer.concat([...chunks(headBytes, found.entries, encode)]) };
  }
  return { kind: 'chunks', status: 200, headers, chunks: chunks(headBytes, found.entries, encode), compressible: true };
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
