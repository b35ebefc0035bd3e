import type { ApiObject } from '@wherry/api';
import { entriesText } from '../managedfields/entries-text.ts';

/**
 * Stored bytes are JSON without resourceVersion, in one fixed order: kind, apiVersion, metadata, the rest. So the
 * revision, known only after the write, can be spliced in right after `"metadata":{` without parsing anything.
 * managedFields stand there too: their texts exist already, and would cost as much again to make anew.
 */
export interface Encoding {
  readonly prefix: Buffer;
  readonly kind: string;
  readonly apiVersion: string;
}

export function encodingOf(kind: string, apiVersion: string): Encoding {
  return {
    kind,
    apiVersion,
    prefix: Buffer.from(`{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{`),
  };
}

/** The bytes to store. */
export function encodeForStorage(encoding: Encoding, object: ApiObject): Buffer {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _resourceVersion, managedFields, ...meta } = metadata ?? {};
  const text = JSON.stringify({ kind: encoding.kind, apiVersion: encoding.apiVersion, metadata: meta, ...rest });
  if (managedFields === undefined || managedFields.length === 0) {
    return Buffer.from(text);
  }
  const at = encoding.prefix.length;
  const comma = text[at] === '}' ? '' : ',';
  return Buffer.from(`${text.slice(0, at)}"managedFields":${entriesText(managedFields)}${comma}${text.slice(at)}`);
}

/** The bytes to serve: the stored ones with `metadata.resourceVersion`. */
export function withRevision(encoding: Encoding, stored: Buffer, revision: number): Buffer {
  const { prefix } = encoding;
  if (stored.compare(prefix, 0, prefix.length, 0, prefix.length) !== 0 || stored[prefix.length] !== 0x22) {
    // Written by an operator's tool, or with empty metadata: bring it into our order first.
    return reordered(encoding, stored, revision);
  }
  const field = `"resourceVersion":"${revision}",`;
  const result = Buffer.allocUnsafeSlow(stored.length + field.length);
  stored.copy(result, 0, 0, prefix.length);
  result.write(field, prefix.length, 'latin1');
  stored.copy(result, prefix.length + field.length, prefix.length);
  return result;
}

function reordered(encoding: Encoding, stored: Buffer, revision: number): Buffer {
  const object = JSON.parse(stored.toString()) as ApiObject;
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object;
  return Buffer.from(
    JSON.stringify({
      kind: encoding.kind,
      apiVersion: encoding.apiVersion,
      metadata: { ...metadata, resourceVersion: String(revision) },
      ...rest,
    }),
  );
}

const REVISION_FIELD = Buffer.from('"resourceVersion":"');

/** Served bytes of another revision of the same content: what a DELETED event carries. */
export function withOtherRevision(encoding: Encoding, served: Buffer, revision: number): Buffer {
  const start = served.indexOf(REVISION_FIELD, encoding.prefix.length);
  const from = start + REVISION_FIELD.length;
  const to = served.indexOf(0x22, from);
  return Buffer.concat([served.subarray(0, from), Buffer.from(String(revision)), served.subarray(to)]);
}
