import {
  type ApiObject,
  badRequest,
  decodeObject,
  duplicateFieldProblems,
  type FieldValidation,
  groupVersion,
  type ManagedFieldsEntry,
  type ObjectNode,
  parseGroupVersion,
  strictDecodingText,
} from '@wherry/api';
import { BODY_BYTES_MAX, type BodyType, bodyType, parseBody } from '../http/body.ts';
import type { ApiRequest } from '../http/exchange.ts';
import { messageOfKind } from '../http/protobuf/messages.ts';
import { forgetsManagers } from '../managedfields/reset-fields.ts';
import { isObject, type Json } from '../patch/json.ts';

/** What a body must be. */
export interface Expected {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly node: ObjectNode;
}

export interface DecodedBody {
  readonly object: ApiObject;
  readonly warnings: readonly string[];
}

/** Reads, parses and schema-checks a body. @throws StatusError BadRequest, UnsupportedMediaType, RequestEntityTooLarge */
export async function readObject(
  request: ApiRequest,
  expected: Expected,
  fieldValidation: FieldValidation,
): Promise<DecodedBody> {
  const hasMessage = messageOfKind(expected.group, expected.version, expected.kind) !== undefined;
  const type = bodyType(request.header('content-type'), hasMessage);
  const bytes = await request.readBody(BODY_BYTES_MAX);
  const value = parseBody(bytes, type, expected);
  return decodeValue(value, expected, fieldValidation, duplicates(bytes, type, fieldValidation));
}

/** JSON.parse keeps the last of repeated keys silently; only a look at the text finds them. */
function duplicates(bytes: Buffer, type: BodyType, fieldValidation: FieldValidation): readonly string[] {
  return type === 'json' && fieldValidation !== 'Ignore' ? duplicateFieldProblems(bytes.toString()) : [];
}

/** @throws StatusError BadRequest when the value is not of the expected kind */
export function decodeValue(
  value: Json,
  expected: Expected,
  fieldValidation: FieldValidation,
  found: readonly string[] = [],
): DecodedBody {
  if (!isObject(value)) {
    throw badRequest(
      `${prefix(expected)}: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type ${expected.kind}`,
    );
  }
  checkKind(value, expected);
  const forgets = asksToForgetManagers(value);
  const decoded = decodeObject(expected.node, value, { fieldValidation });
  if (decoded.error !== undefined) {
    throw badRequest(`${prefix(expected)}: ${decoded.error}`);
  }
  const problems = [...found, ...decoded.strictProblems];
  if (problems.length > 0 && fieldValidation === 'Strict') {
    throw badRequest(`${prefix(expected)}: ${strictDecodingText(problems)}`);
  }
  const read: ApiObject = { ...decoded.object, apiVersion: groupVersion(expected), kind: expected.kind };
  const object = forgets ? { ...read, metadata: { ...read.metadata, managedFields: [] } } : read;
  return { object, warnings: fieldValidation === 'Warn' ? problems : [] };
}

/** An empty list of managers means something, while decoding drops empty lists. */
function asksToForgetManagers({ metadata }: { readonly [key: string]: Json }): boolean {
  const managedFields = isObject(metadata) ? metadata['managedFields'] : undefined;
  return Array.isArray(managedFields) && forgetsManagers(managedFields as readonly ManagedFieldsEntry[]);
}

function checkKind(value: { readonly [key: string]: Json }, expected: Expected): void {
  const { kind, apiVersion } = value;
  if (typeof kind === 'string' && kind !== '' && kind !== expected.kind) {
    const version = typeof apiVersion === 'string' ? (parseGroupVersion(apiVersion)?.version ?? apiVersion) : '';
    throw badRequest(
      `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: converting (${version}.${kind}) to (${internalPackage(expected.group)}.${expected.kind}): unknown conversion`,
    );
  }
  const wanted = groupVersion(expected);
  if (typeof apiVersion === 'string' && apiVersion !== '' && apiVersion !== wanted) {
    throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${wanted})`);
  }
}

/** Go's package of the kinds of a group. */
function internalPackage(group: string): string {
  return group === '' ? 'core' : (group.split('.')[0] ?? group);
}

function prefix(expected: Expected): string {
  return `${expected.kind} in version ${JSON.stringify(expected.version)} cannot be handled as a ${expected.kind}`;
}
