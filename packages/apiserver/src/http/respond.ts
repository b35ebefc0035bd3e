import { notAcceptable, type Status, type StatusError } from '@wherry/api';
import { dump } from 'js-yaml';
import type { BytesResponse, Headers } from './exchange.ts';
import { mediaTypes, type Representation } from './negotiate.ts';
import { encodeObject, NotEncodable } from './protobuf/encode.ts';

export function textResponse(status: number, text: string, headers: Headers = {}): BytesResponse {
  return {
    kind: 'bytes',
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', ...headers },
    body: Buffer.from(text),
  };
}

/** A value that is encoded for this one answer. */
export function valueResponse(
  status: number,
  value: object,
  how: Representation,
  headers: Headers = {},
): BytesResponse {
  return {
    kind: 'bytes',
    status,
    headers: { 'content-type': mediaTypes[how.encoding], ...headers },
    body: encodeValue(value, how),
  };
}

/** @throws StatusError NotAcceptable for a kind that has no protobuf form */
export function encodeValue(value: object, how: Representation): Buffer {
  if (how.encoding === 'protobuf') {
    return encodeAsProtobuf(value);
  }
  if (how.encoding === 'yaml') {
    return Buffer.from(dump(value, { noRefs: true, lineWidth: -1 }));
  }
  return Buffer.from(how.pretty ? `${JSON.stringify(value, null, 2)}\n` : JSON.stringify(value));
}

function encodeAsProtobuf(value: object): Buffer {
  try {
    return encodeObject(value);
  } catch (cause) {
    throw cause instanceof NotEncodable ? notAcceptable(cause.message) : cause;
  }
}

/** Bytes that are JSON already; only another encoding costs anything. */
export function jsonBytesResponse(
  status: number,
  bytes: Buffer,
  how: Representation,
  headers: Headers = {},
): BytesResponse {
  if (how.encoding !== 'json' || how.pretty) {
    return valueResponse(status, JSON.parse(bytes.toString()) as object, how, headers);
  }
  return { kind: 'bytes', status, headers: { 'content-type': 'application/json', ...headers }, body: bytes };
}

export function statusResponse(error: StatusError, how: Representation): BytesResponse {
  const headers: Headers = {};
  const retryAfter = error.status.details?.retryAfterSeconds;
  if (retryAfter !== undefined && retryAfter > 0) {
    headers['retry-after'] = String(retryAfter);
  }
  return valueResponse(error.code, error.status, how, headers);
}

export function success(details?: Status['details']): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    ...(details === undefined ? {} : { details }),
  };
}

/** A Warning header (RFC 7234, code 299); quotes and control characters cannot stand in it as they are. */
export function warningHeader(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
  const clean = text.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/["\\]/g, '\\$&');
  return `299 - "${clean}"`;
}
