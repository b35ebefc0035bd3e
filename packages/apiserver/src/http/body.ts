import { badRequest, unsupportedMediaType } from '@wherry/api';
import { load } from 'js-yaml';
import type { Json } from '../patch/json.ts';
import { decodeProtobuf } from './protobuf/decode.ts';
import { ProtobufError } from './protobuf/reader.ts';

/** Upstream's limit of a request body. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** Longest nesting that is decoded; Go's decoder stops at 10,000, JSON.stringify's stack earlier. */
const NESTING_MAX = 1_000;

export type BodyType = 'json' | 'yaml' | 'protobuf';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** @throws StatusError UnsupportedMediaType */
export function bodyType(contentType: string | undefined): BodyType {
  const type = mediaType(contentType);
  if (type === '' || type === 'application/json') {
    return 'json';
  }
  if (type === 'application/yaml') {
    return 'yaml';
  }
  if (type === PROTOBUF) {
    return 'protobuf';
  }
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, ${PROTOBUF}`,
  );
}

export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** @throws StatusError BadRequest */
export function parseBody(bytes: Buffer, type: BodyType): Json {
  const value = parsers[type](bytes);
  if (depthExceeds(value, NESTING_MAX)) {
    throw badRequest(`the body is nested deeper than ${NESTING_MAX} levels`);
  }
  return value;
}

const parsers: Readonly<Record<BodyType, (bytes: Buffer) => Json>> = {
  json: parseJson,
  yaml: parseYaml,
  protobuf: parseProtobuf,
};

function parseProtobuf(bytes: Buffer): Json {
  try {
    return decodeProtobuf(bytes);
  } catch (cause) {
    throw cause instanceof ProtobufError ? badRequest(cause.message, { cause }) : cause;
  }
}

function parseJson(bytes: Buffer): Json {
  try {
    return JSON.parse(bytes.toString()) as Json;
  } catch (cause) {
    throw badRequest(`couldn't parse the body as JSON: ${(cause as Error).message}`, { cause });
  }
}

function parseYaml(bytes: Buffer): Json {
  try {
    // Through JSON once, so that dates and other YAML types become what a JSON client would have sent.
    const text = JSON.stringify(load(bytes.toString()) ?? null);
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw badRequest(`error converting YAML to JSON: ${(cause as Error).message}`, { cause });
  }
}

function depthExceeds(value: Json, limit: number): boolean {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  if (limit === 0) {
    return true;
  }
  const children = Array.isArray(value) ? value : Object.values(value);
  for (const child of children) {
    if (typeof child === 'object' && child !== null && depthExceeds(child, limit - 1)) {
      return true;
    }
  }
  return false;
}
