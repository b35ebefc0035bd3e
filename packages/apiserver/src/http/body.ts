import { badRequest, groupVersion, parseGroupVersion, StatusError, unsupportedMediaType } from '@wherry/api';
import { loadYamlDocuments, yamlProblem } from '@wherry/client';
import type { Json } from '../patch/json.ts';
import { decodeProtobuf } from './protobuf/decode.ts';
import { ProtobufError } from './protobuf/errors.ts';

/** Upstream's limit of a request body. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** Longest nesting that is decoded; Go's decoder stops at 10,000, JSON.stringify's stack earlier. */
const NESTING_MAX = 1_000;

/** Of a body that is no message at all, so much is shown. */
const SUMMARY_BYTES = 30;

/** Values in a YAML body after its aliases are followed: a few bytes of those can mean gigabytes of JSON. */
const VALUES_MAX = 1_000_000;

export type BodyType = 'json' | 'yaml' | 'protobuf';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/**
 * @param protobuf false for kinds that have no messages, such as custom resources
 * @throws StatusError UnsupportedMediaType
 */
export function bodyType(contentType: string | undefined, protobuf = true): BodyType {
  const type = mediaType(contentType);
  if (type === '' || type === 'application/json') {
    return 'json';
  }
  if (type === 'application/yaml') {
    return 'yaml';
  }
  if (type === PROTOBUF && protobuf) {
    return 'protobuf';
  }
  const accepted = ['application/json', 'application/yaml', ...(protobuf ? [PROTOBUF] : [])];
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** What a body is taken for where it does not say, and in refusals. */
export interface BodyKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Patches are of no kind. */
const anyKind: BodyKind = { group: '', version: '', kind: '' };

/** @throws StatusError BadRequest */
export function parseBody(bytes: Buffer, type: BodyType, expected: BodyKind = anyKind): Json {
  return checkedNesting(parsers[type](bytes, expected));
}

/** @throws StatusError BadRequest */
function checkedNesting(value: Json): Json {
  if (depthExceeds(value, NESTING_MAX)) {
    throw badRequest(`the body is nested deeper than ${NESTING_MAX} levels`);
  }
  return value;
}

const parsers: Readonly<Record<BodyType, (bytes: Buffer, expected: BodyKind) => Json>> = {
  json: parseJson,
  yaml: parseYaml,
  protobuf: parseProtobuf,
};

function parseProtobuf(bytes: Buffer, expected: BodyKind): Json {
  try {
    return decodeProtobuf(bytes, { apiVersion: groupVersion(expected), kind: expected.kind });
  } catch (cause) {
    throw cause instanceof ProtobufError ? undecodable(cause, bytes, expected) : cause;
  }
}

/** Upstream's words for a body that cannot be read. */
function undecodable(cause: ProtobufError, bytes: Buffer, expected: BodyKind): StatusError {
  const { named, message } = cause;
  if (named === undefined) {
    const text = `the object provided is unrecognized (must be of type ${expected.kind}): ${message} (${summary(bytes)})`;
    return badRequest(text, { cause });
  }
  const version = JSON.stringify(parseGroupVersion(named.apiVersion)?.version ?? named.apiVersion);
  return badRequest(`${named.kind} in version ${version} cannot be handled as a ${expected.kind}: ${message}`, {
    cause,
  });
}

/** The beginning of a body that is not what it should be: as text if it looks like JSON. */
function summary(bytes: Buffer): string {
  if (bytes.length === 0) {
    return '<empty>';
  }
  const start = bytes.subarray(0, SUMMARY_BYTES).toString(bytes[0] === 0x7b ? 'utf8' : 'hex');
  return bytes.length > SUMMARY_BYTES ? `${start} ...` : start;
}

function parseJson(bytes: Buffer): Json {
  try {
    return JSON.parse(bytes.toString()) as Json;
  } catch (cause) {
    throw badRequest(`couldn't parse the body as JSON: ${(cause as Error).message}`, { cause });
  }
}

/** A body in which keys may stand twice: the last one counts. */
export interface YamlPatch {
  readonly value: Json;
  /** Upstream's words about the first key that does; undefined: none. */
  readonly duplicates: string | undefined;
}

/** @throws StatusError BadRequest */
export function parseYamlPatch(bytes: Buffer): YamlPatch {
  try {
    return { value: checkedNesting(yamlValue(bytes, 'refused')), duplicates: undefined };
  } catch (cause) {
    if (cause instanceof StatusError) {
      throw cause;
    }
    const found = yamlProblem(cause);
    try {
      const value = checkedNesting(yamlValue(bytes, 'last'));
      return { value, duplicates: `error converting YAML to JSON: ${found}` };
    } catch (second) {
      throw second instanceof StatusError
        ? second
        : badRequest(`error decoding YAML: ${yamlProblem(second)}`, { cause });
    }
  }
}

function parseYaml(bytes: Buffer): Json {
  try {
    return yamlValue(bytes, 'refused');
  } catch (cause) {
    if (cause instanceof StatusError) {
      throw cause;
    }
    throw badRequest(`error converting YAML to JSON: ${yamlProblem(cause)}`, { cause });
  }
}

function yamlValue(bytes: Buffer, repeatedKeys: 'refused' | 'last'): Json {
  const [value = null] = loadYamlDocuments(bytes.toString(), repeatedKeys);
  if (valuesWithin(value, VALUES_MAX) < 0) {
    throw badRequest('error converting YAML to JSON: yaml: document contains excessive aliasing');
  }
  // Through JSON once, so that other YAML types become what a JSON client would have sent.
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** What is left of `limit` after each value in a value was counted; below zero as soon as it is used up. */
function valuesWithin(value: unknown, limit: number): number {
  let left = limit - 1;
  if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) {
      left = valuesWithin(child, left);
      if (left < 0) {
        return left;
      }
    }
  }
  return left;
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
