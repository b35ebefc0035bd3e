import { type ApiObject, applyConflict, badRequest, conflict, forbidden } from '@wherry/api';
import { attributesOf, forbiddenText } from '../auth/attributes.ts';
import type { Entry } from '../cache/entry.ts';
import { mediaType } from '../http/body.ts';
import type { ApiResponse } from '../http/exchange.ts';
import { type Application, type Applied, applyConfiguration } from '../managedfields/apply.ts';
import { ApplyConflicts } from '../managedfields/conflicts.ts';
import type { Bag } from '../managedfields/values.ts';
import type { Json } from '../patch/json.ts';
import { privateCopy } from '../patch/private-copy.ts';
import { readConfig } from './applied-config.ts';
import type { StoredRequest } from './context.ts';
import { decodeValue, type Expected } from './decode.ts';
import { fieldManagerOf, trackedKind, writerOf } from './field-tracking.ts';
import { parseWriteOptions } from './options.ts';
import { entryResponse, servedObject } from './render.ts';
import { type Wanted, writeUpdate } from './update.ts';

export const applyType = 'application/apply-patch+yaml';

export function isApply({ request }: StoredRequest): boolean {
  return mediaType(request.header('content-type')) === applyType;
}

/** PATCH that states a configuration: server-side apply, to an object or a subresource of its shape. */
export async function apply(from: StoredRequest): Promise<ApiResponse> {
  const { kind, registry, info } = from;
  const options = parseWriteOptions(from.query, 'apply');
  const { group, version, kind: kindName } = kind.resource;
  const expected: Expected = { group, version, kind: kindName, node: kind.node };
  const tracked = trackedKind(kind);
  const config = await readConfig(from, expected, tracked, options);
  checkName(from, config as ApiObject);
  const writer = writerOf(registry, kind, fieldManagerOf(from, options.fieldManager));
  const application = { kind: tracked, config, writer, force: options.force };
  const warnings: string[] = [];
  const result = await writeUpdate(
    from,
    options.dryRun,
    warnings,
    (current) => onto(current, from, application, expected),
    info.subresource === '' ? () => anew(from, application, expected) : undefined,
  );
  from.warnings.push(...new Set(warnings));
  return entryResponse(from, result.kind === 'created' ? 201 : 200, result.entry);
}

function onto(
  current: Entry,
  from: StoredRequest,
  application: Omit<Application, 'live' | 'managed'>,
  expected: Expected,
): Wanted {
  const live = servedObject(from.kind, current) as Bag;
  const managed = current.object().metadata?.managedFields;
  const applied = applied409({ ...application, live, managed });
  return { object: decodedObject(applied, expected), managed: { entries: applied.managed } };
}

/** @throws StatusError Forbidden, Conflict */
function anew(from: StoredRequest, application: Omit<Application, 'live' | 'managed'>, expected: Expected): Wanted {
  const { info, user, stored, registry } = from;
  const attributes = attributesOf(user, { ...info, verb: 'create' }, []);
  const decision = registry.authorizer.authorize(attributes);
  if (decision.kind !== 'allow') {
    throw forbidden(stored, info.name, forbiddenText(attributes, decision.reason));
  }
  const { uid = '' } = (application.config as ApiObject).metadata ?? {};
  if (uid !== '') {
    throw conflict(
      stored,
      info.name,
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    );
  }
  const applied = applied409({ ...application, live: undefined, managed: undefined });
  return { object: decodedObject(applied, expected), managed: { entries: applied.managed } };
}

/** @throws StatusError Conflict */
export function applied409(application: Application): Applied {
  try {
    return applyConfiguration(application);
  } catch (error) {
    throw error instanceof ApplyConflicts ? applyConflict(error.causes, error.message) : error;
  }
}

/** Decoding works in place, and what was applied shares its parts with the present object. */
export function decodedObject({ object }: Applied, expected: Expected): ApiObject {
  const { metadata, ...rest } = object as ApiObject & Bag;
  const { managedFields: _managed, ...meta } = metadata ?? {};
  const copy = privateCopy({ ...rest, metadata: meta } as unknown as Json);
  return decodeValue(copy, expected, 'Ignore').object;
}

/** @throws StatusError BadRequest */
function checkName({ info, stored }: StoredRequest, { metadata }: ApiObject): void {
  const { name = '', namespace = '' } = metadata ?? {};
  if (name !== '' && name !== info.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  }
  if (stored.namespaced && namespace !== '' && namespace !== info.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}
