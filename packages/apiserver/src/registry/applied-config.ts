// Reads the body of a server-side apply.
import { type ApiObject, badRequest, groupVersion, parseGroupVersion } from '@wherry/api';
import { BODY_BYTES_MAX, parseYamlPatch } from '../http/body.ts';
import type { TrackedKind } from '../managedfields/tracked-kind.ts';
import { problemsOf } from '../managedfields/validate.ts';
import type { Bag } from '../managedfields/values.ts';
import { isObject, type Json } from '../patch/json.ts';
import type { ResourceRequest } from './context.ts';
import type { Expected } from './decode.ts';
import type { WriteOptions } from './options.ts';

/**
 * What a client wants to be so: any part of an object.
 * @throws StatusError BadRequest. Upstream answers 500 to a configuration that does not fit the schema (until 1.36);
 * it is the client's fault, so this server says so.
 */
export async function readConfig(
  from: ResourceRequest,
  expected: Expected,
  tracked: TrackedKind,
  options: WriteOptions,
): Promise<Bag> {
  const bytes = await from.request.readBody(BODY_BYTES_MAX);
  const { value, duplicates } = parseYamlPatch(bytes);
  if (!isObject(value)) {
    throw badRequest(
      `error decoding YAML: json: cannot unmarshal ${typeOf(value)} into Go value of type map[string]interface {}`,
    );
  }
  checkType(value, expected);
  const config = value as ApiObject & Bag;
  if (isObject(value['metadata']) && (value['metadata']['managedFields'] ?? null) !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const problems = problemsOf(tracked.shape, value);
  if (problems !== undefined) {
    const { name = '', namespace = '' } = isObject(value['metadata']) ? (config.metadata ?? {}) : {};
    throw badRequest(`failed to create typed patch object (${namespace}/${name}; ${typeText(expected)}): ${problems}`);
  }
  if (duplicates !== undefined && options.fieldValidation !== 'Ignore') {
    if (options.fieldValidation === 'Strict') {
      throw badRequest(`error strict decoding YAML: ${duplicates}`);
    }
    from.warnings.push(duplicates);
  }
  return value;
}

function typeOf(value: Json): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}

/** @throws StatusError BadRequest */
function checkType(value: { readonly [key: string]: Json }, expected: Expected): void {
  const kind = typeof value['kind'] === 'string' ? value['kind'] : '';
  const apiVersion = typeof value['apiVersion'] === 'string' ? value['apiVersion'] : '';
  if (kind === expected.kind && apiVersion === groupVersion(expected)) {
    return;
  }
  const { group, version } = parseGroupVersion(apiVersion) ?? { group: '', version: '' };
  throw badRequest(`invalid object type: ${typeText({ group, version, kind })}`);
}

function typeText({ group, version, kind }: Pick<Expected, 'group' | 'version' | 'kind'>): string {
  return `${group}/${version}, Kind=${kind}`;
}
