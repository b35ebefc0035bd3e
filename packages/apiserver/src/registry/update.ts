import {
  type ApiObject,
  applyDefaults,
  badRequest,
  conflict,
  type FieldError,
  invalid,
  invalidValue,
  methodNotSupported,
  type ObjectMeta,
} from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { ApiResponse } from '../http/exchange.ts';
import { type Json, jsonEqual } from '../patch/json.ts';
import { type StoredRequest, strategyContext } from './context.ts';
import { createObject, type KnownManagers } from './create.ts';
import { readObject } from './decode.ts';
import { entriesAfter, type FieldManager, fieldManagerOf } from './field-tracking.ts';
import { carryOver, metadataUpdateErrors } from './metadata.ts';
import { type Change, mayHaveHappened, type Updated } from './object-store.ts';
import { parseWriteOptions } from './options.ts';
import { entryResponse } from './render.ts';

/** PUT of an object or of one of its subresources that have the object's own shape. */
export async function update(from: StoredRequest): Promise<ApiResponse> {
  const { kind, stored, info } = from;
  const options = parseWriteOptions(from.query, 'UpdateOptions');
  const { group, version, kind: kindName } = kind.resource;
  const expected = { group, version, kind: kindName, node: kind.node };
  const body = await readObject(from.request, expected, options.fieldValidation);
  from.warnings.push(...body.warnings);
  checkIdentity(from, body.object);
  const creates = stored.strategy.allowCreateOnUpdate === true && info.subresource === '';
  const warnings: string[] = [];
  const managed = fieldManagerOf(from, options.fieldManager);
  const result = await writeUpdate(
    from,
    options.dryRun,
    warnings,
    () => ({ object: body.object, managed }),
    creates ? () => ({ object: body.object, managed }) : undefined,
  );
  from.warnings.push(...new Set(warnings));
  return entryResponse(from, result.kind === 'created' ? 201 : 200, result.entry);
}

/** @throws StatusError BadRequest when the body is about another object than the URL */
function checkIdentity(from: StoredRequest, object: ApiObject): void {
  const { info, stored } = from;
  const { name = '', namespace = '' } = object.metadata ?? {};
  if (name !== info.name) {
    throw badRequest(
      name === ''
        ? 'name must be provided'
        : `the name of the object (${name}) does not match the name on the URL (${info.name})`,
    );
  }
  if (stored.namespaced && namespace !== '' && namespace !== info.namespace) {
    throw badRequest(
      `the namespace of the object (${namespace}) does not match the namespace on the request (${info.namespace})`,
    );
  }
}

/** What an object shall be, in the served version, and who makes it so or what is known of who owns what then. */
export interface Wanted {
  readonly object: ApiObject;
  readonly managed: FieldManager | KnownManagers;
}

/**
 * Carries out an update of the object that the request names. `next` makes the wanted object from the present one
 * and may be called several times; `missing` is created when there is none.
 */
export async function writeUpdate(
  from: StoredRequest,
  dryRun: boolean,
  warnings: string[],
  next: (current: Entry) => Wanted,
  missing?: () => Wanted,
): Promise<Updated> {
  const { registry, stored, kind, info } = from;
  const namespace = stored.namespaced ? info.namespace : '';
  if (stored.namespaced && namespace === '') {
    throw methodNotSupported(kind.resource, info.verb);
  }
  let giveBack = async (): Promise<void> => {};
  let releaseOld = async (): Promise<void> => {};
  const change = async (current: Entry): Promise<Change> => {
    await giveBack();
    const decided = await decide(from, current, next(current), dryRun, warnings);
    if (decided.kind !== 'write' || info.subresource !== '') {
      return decided;
    }
    const granted = await registry.allocation.allocate(stored, decided.object, current.object(), dryRun);
    giveBack = granted.giveBack;
    releaseOld = granted.releaseOld;
    return { kind: 'write', object: granted.object };
  };
  const createMissing =
    missing === undefined ? undefined : () => creating(from, missing(), namespace, dryRun, warnings);
  try {
    const updated = await registry.store.update(stored, namespace, info.name, { dryRun, createMissing }, change);
    await releaseOld();
    return await afterUpdate(from, updated, dryRun);
  } catch (error) {
    if (!mayHaveHappened(error)) {
      await giveBack();
    }
    throw error;
  }
}

async function creating(
  from: StoredRequest,
  { object, managed }: Wanted,
  namespace: string,
  dryRun: boolean,
  warnings: string[],
): Promise<Entry> {
  if ((object.metadata?.uid ?? '') !== '' || (object.metadata?.resourceVersion ?? '') !== '') {
    // The client updates an object that it saw; that one is gone.
    throw conflict(
      from.stored,
      from.info.name,
      `StorageError: invalid object, Code: 4, Key: ${from.stored.cache.key(namespace, from.info.name)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed`,
    );
  }
  const { registry, kind, stored, user } = from;
  return createObject(registry, { kind, stored, namespace, object, user, dryRun, warnings, managed });
}

async function afterUpdate(from: StoredRequest, updated: Updated, dryRun: boolean): Promise<Updated> {
  if (updated.kind === 'removed' && !dryRun) {
    await from.registry.allocation.release(from.stored, updated.entry.object());
  }
  return updated;
}

/** What becomes of the present object when a client wants `wanted`. @throws StatusError Conflict, Invalid, Forbidden */
async function decide(
  from: StoredRequest,
  current: Entry,
  { object: wanted, managed }: Wanted,
  dryRun: boolean,
  warnings: string[],
): Promise<Change> {
  const { registry, stored, kind, info, user } = from;
  const { strategy } = stored;
  const old = current.object();
  checkPreconditions(from, current, wanted.metadata ?? {});
  const { resource } = kind;
  const defaulted = applyDefaults(resource.group, resource.version, resource.kind, wanted);
  const converted = kind.conversion?.toStored(defaulted) ?? defaulted;
  const entries = 'entries' in managed ? managed.entries : entriesAfter(registry, kind, old, defaulted, managed);
  const metadata = carryOver(wanted.metadata ?? {}, old.metadata ?? {}, entries);
  const namespaced = stored.namespaced ? { ...metadata, namespace: info.namespace } : metadata;
  const merged = merge(
    { ...converted, kind: stored.kind, apiVersion: stored.apiVersion, metadata: namespaced },
    old,
    from,
  );
  const attributes = {
    operation: 'UPDATE',
    stored,
    subresource: info.subresource,
    namespace: stored.namespaced ? info.namespace : '',
    name: info.name,
    old,
    user,
    dryRun,
    warnings,
  } as const;
  const admitted = await registry.admission.admit({ ...attributes, object: merged }, merged);
  const context = strategyContext(registry, user);
  const rules = info.subresource === '' ? strategy : strategy.subresources?.[info.subresource];
  const ready = withGeneration(rules?.prepareForUpdate(admitted, old, context) ?? admitted, old, from);
  const errors: readonly FieldError[] = [
    ...metadataUpdateErrors(stored, ready.metadata ?? {}, old.metadata ?? {}),
    ...(rules?.validateUpdate(ready, old, context) ?? []),
  ];
  if (errors.length > 0) {
    throw invalid(stored, info.name, errors);
  }
  if (strategy.warnings !== undefined) {
    warnings.push(...strategy.warnings(ready, old));
  }
  await registry.admission.validate({ ...attributes, object: ready });
  return isFinished(ready, stored.resource) ? { kind: 'remove' } : { kind: 'write', object: ready };
}

function checkPreconditions(from: StoredRequest, current: Entry, wanted: ObjectMeta): void {
  const { stored, info } = from;
  const uid = current.object().metadata?.uid ?? '';
  if ((wanted.uid ?? '') !== '' && wanted.uid !== uid) {
    throw conflict(
      stored,
      info.name,
      `Precondition failed: UID in precondition: ${wanted.uid ?? ''}, UID in object meta: ${uid}`,
    );
  }
  const revision = wanted.resourceVersion ?? '';
  if (revision === '' || revision === '0') {
    if (stored.strategy.allowUnconditionalUpdate === false && info.verb === 'update') {
      throw invalid(stored, info.name, [
        invalidValue('metadata.resourceVersion', revision === '' ? 0 : revision, 'must be specified for an update'),
      ]);
    }
  } else if (revision !== String(current.revision)) {
    throw conflict(stored, info.name);
  }
}

/** Status and specification are written by different hands; each leaves the other as it was. */
function merge(next: ApiObject, old: ApiObject, from: StoredRequest): ApiObject {
  const { status: oldStatus } = old as { status?: unknown };
  if (from.info.subresource === 'status') {
    const { status } = next as { status?: unknown };
    const { status: _replaced, ...rest } = old as ApiObject & { status?: unknown };
    const merged = { ...rest, metadata: next.metadata ?? {} };
    return status === undefined ? merged : ({ ...merged, status } as ApiObject);
  }
  if (!from.kind.hasStatus || from.info.subresource !== '') {
    return next;
  }
  const { status: _dropped, ...rest } = next as ApiObject & { status?: unknown };
  return oldStatus === undefined ? rest : ({ ...rest, status: oldStatus } as ApiObject);
}

function withGeneration(next: ApiObject, old: ApiObject, from: StoredRequest): ApiObject {
  if (from.stored.strategy.generation !== true || from.info.subresource === 'status' || sameSpecification(next, old)) {
    return next;
  }
  return { ...next, metadata: { ...next.metadata, generation: (old.metadata?.generation ?? 0) + 1 } };
}

function sameSpecification(next: ApiObject, old: ApiObject): boolean {
  const bare = (object: ApiObject): Json => {
    const { metadata: _metadata, status: _status, ...rest } = object as ApiObject & { status?: unknown };
    return rest as unknown as Json;
  };
  return jsonEqual(bare(next), bare(old));
}

/** A deleted object goes once its last finalizer and its grace period are gone. */
export function isFinished(object: ApiObject, resource: string): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata ?? {};
  if (deletionTimestamp === undefined || finalizers.length > 0 || deletionGracePeriodSeconds > 0) {
    return false;
  }
  const specFinalizers = (object as { spec?: { finalizers?: readonly string[] } }).spec?.finalizers ?? [];
  return resource !== 'namespaces' || specFinalizers.length === 0;
}
