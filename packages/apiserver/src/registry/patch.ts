import {
  type ApiObject,
  badRequest,
  facts,
  requestEntityTooLarge,
  StatusError,
  unsupportedMediaType,
} from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import { BODY_BYTES_MAX, mediaType, parseBody } from '../http/body.ts';
import type { ApiResponse } from '../http/exchange.ts';
import { isObject, type Json, PatchError } from '../patch/json.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMerge } from '../patch/strategic-merge.ts';
import { apply, applyType, isApply } from './apply.ts';
import type { StoredRequest } from './context.ts';
import { decodeValue, type Expected } from './decode.ts';
import { fieldManagerOf } from './field-tracking.ts';
import { mergeFacts } from './merge-facts.ts';
import { parseWriteOptions } from './options.ts';
import { presentJson, presentObject } from './present-object.ts';
import { entryResponse } from './render.ts';
import { type Wanted, writeUpdate } from './update.ts';

type PatchType = 'json' | 'merge' | 'strategic';

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
};

/** A patch that has been read, ready to be applied as often as needed. */
export interface ParsedPatch {
  readonly type: PatchType;
  readonly value: Json;
  /** It may read or write managedFields. */
  readonly seesManagers: boolean;
}

export async function patch(from: StoredRequest): Promise<ApiResponse> {
  if (isApply(from)) {
    return apply(from);
  }
  const { kind } = from;
  const options = parseWriteOptions(from.query, 'PatchOptions');
  const parsed = await readPatch(from);
  const managed = fieldManagerOf(from, options.fieldManager);
  const { group, version, kind: kindName } = kind.resource;
  const expected: Expected = { group, version, kind: kindName, node: kind.node };
  const warnings: string[] = [];
  const next = (current: Entry): Wanted => {
    const present = parsed.seesManagers
      ? presentJson(kind, current)
      : (presentObject(kind, current) as unknown as Json);
    const patched = applyPatch(present, parsed, expected);
    const decoded = decodeValue(patched, expected, options.fieldValidation);
    warnings.push(...decoded.warnings);
    checkIdentity(from, decoded.object);
    return { object: decoded.object, managed };
  };
  const result = await writeUpdate(from, options.dryRun, warnings, next);
  from.warnings.push(...new Set(warnings));
  return entryResponse(from, 200, result.entry);
}

/** @throws StatusError UnsupportedMediaType, BadRequest */
export async function readPatch(from: StoredRequest): Promise<ParsedPatch> {
  const type = patchTypes[mediaType(from.request.header('content-type'))];
  if (type === undefined) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${[...Object.keys(patchTypes), applyType].join(', ')}`,
    );
  }
  const bytes = await from.request.readBody(BODY_BYTES_MAX);
  // A JSON patch may name an ancestor.
  const seesManagers = type === 'json' || bytes.includes('managedFields');
  return { type, value: parseBody(bytes, 'json'), seesManagers };
}

/** @throws StatusError BadRequest, Invalid, RequestEntityTooLarge */
export function applyPatch(
  present: Json,
  { type, value }: Pick<ParsedPatch, 'type' | 'value'>,
  expected: Expected,
): Json {
  try {
    switch (type) {
      case 'json':
        return applyJsonPatch(present, value);
      case 'merge':
        return applyMergePatch(present, requireObject(value));
      case 'strategic': {
        const node = facts.ofKind(expected.group, expected.version, expected.kind);
        return applyStrategicMerge(requireObject(present), value, node === undefined ? undefined : mergeFacts(node));
      }
    }
  } catch (error) {
    throw error instanceof PatchError ? refused(error) : error;
  }
}

function requireObject(value: Json): { readonly [key: string]: Json } {
  if (!isObject(value)) {
    throw new PatchError('malformed', 'json: cannot unmarshal the patch into Go value of type map[string]interface {}');
  }
  return value;
}

function refused(error: PatchError): StatusError {
  switch (error.kind) {
    case 'malformed':
      return badRequest(error.message, { cause: error });
    case 'tooLarge':
      return requestEntityTooLarge(error.message);
    case 'unprocessable':
      return new StatusError(
        {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: `the server rejected our request due to an error in our request: ${error.message}`,
          reason: 'Invalid',
          details: {},
          code: 422,
        },
        { cause: error },
      );
  }
}

/** @throws StatusError BadRequest when a patched object is another than the one of the URL */
export function checkIdentity(from: StoredRequest, object: ApiObject): void {
  const { name = '', namespace } = object.metadata ?? {};
  if (name !== from.info.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${from.info.name})`);
  }
  if (from.stored.namespaced && namespace !== from.info.namespace) {
    throw badRequest(
      `the namespace of the object (${namespace ?? ''}) does not match the namespace on the request (${from.info.namespace})`,
    );
  }
}
