import {
  type ApiObject,
  applyDefaults,
  badRequest,
  generateNameConflict,
  invalid,
  isAlreadyExists,
  methodNotSupported,
  type ObjectMeta,
} from '@wherry/api';
import { randomSuffix, rfc3339 } from '@wherry/daemon';
import type { UserInfo } from '../auth/identity.ts';
import type { Entry } from '../cache/entry.ts';
import type { ApiResponse } from '../http/exchange.ts';
import type { Entries } from '../managedfields/track-update.ts';
import { type Registry, type StoredRequest, strategyContext } from './context.ts';
import { readObject } from './decode.ts';
import { entriesOfNew, type FieldManager, fieldManagerOf } from './field-tracking.ts';
import { generatedName, metadataErrors } from './metadata.ts';
import { mayHaveHappened } from './object-store.ts';
import { parseWriteOptions } from './options.ts';
import { entryResponse } from './render.ts';
import type { ServedKind, StoredKind } from './served-kind.ts';

/** Upstream tries as often before it gives up on a generated name. */
const GENERATED_NAME_ATTEMPTS = 8;

export async function create(from: StoredRequest): Promise<ApiResponse> {
  const { kind, stored, info, registry } = from;
  if (stored.namespaced && info.namespace === '') {
    throw methodNotSupported(kind.resource, 'create');
  }
  const options = parseWriteOptions(from.query, 'CreateOptions');
  const { group, version, kind: name } = kind.resource;
  const body = await readObject(from.request, { group, version, kind: name, node: kind.node }, options.fieldValidation);
  from.warnings.push(...body.warnings);
  const entry = await createObject(registry, {
    kind,
    stored,
    namespace: stored.namespaced ? info.namespace : '',
    object: body.object,
    user: from.user,
    dryRun: options.dryRun,
    warnings: from.warnings,
    managed: fieldManagerOf(from, options.fieldManager),
  });
  return entryResponse(from, 201, entry);
}

export interface Creation {
  readonly kind: ServedKind;
  readonly stored: StoredKind;
  readonly namespace: string;
  /** In the served version, decoded; its metadata is not trusted. */
  readonly object: ApiObject;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly warnings: string[];
  /** Who writes, or what is known already of who owns what. */
  readonly managed: FieldManager | KnownManagers;
}

/** What applying a configuration has found out. */
export interface KnownManagers {
  readonly entries: Entries;
}

/** Everything from a decoded body to the stored object; also for the server's own objects. */
export async function createObject(registry: Registry, creation: Creation): Promise<Entry> {
  const { object } = creation;
  const generateName = object.metadata?.generateName ?? '';
  if ((object.metadata?.name ?? '') !== '' || generateName === '') {
    return createNamed(registry, creation, object.metadata?.name ?? '');
  }
  let name = '';
  for (let attempt = 0; attempt < GENERATED_NAME_ATTEMPTS; attempt += 1) {
    name = generatedName(generateName, randomSuffix(registry.random));
    try {
      return await createNamed(registry, creation, name);
    } catch (error) {
      if (!isAlreadyExists(error)) {
        throw error;
      }
    }
  }
  throw generateNameConflict(creation.stored, name, 1);
}

async function createNamed(registry: Registry, creation: Creation, name: string): Promise<Entry> {
  const { stored, dryRun } = creation;
  const object = await prepared(registry, creation, name);
  const granted = await registry.allocation.allocate(stored, object, undefined, dryRun);
  try {
    return await registry.store.create(stored, granted.object, dryRun);
  } catch (error) {
    if (!mayHaveHappened(error)) {
      await granted.giveBack();
    }
    throw error;
  }
}

/** Defaults, admission, server-set metadata, validation. */
async function prepared(registry: Registry, creation: Creation, name: string): Promise<ApiObject> {
  const { kind, stored, namespace, user, dryRun } = creation;
  const { strategy } = stored;
  const { resource } = kind;
  const defaulted = applyDefaults(resource.group, resource.version, resource.kind, creation.object);
  const { managed } = creation;
  const managedFields = 'entries' in managed ? managed.entries : entriesOfNew(registry, kind, defaulted, managed);
  const metadata = newMetadata(registry, creation, name, managedFields);
  const converted = kind.conversion?.toStored(defaulted) ?? defaulted;
  const attributes = {
    operation: 'CREATE',
    stored,
    subresource: '',
    namespace,
    name,
    old: undefined,
    user,
    dryRun,
    warnings: creation.warnings,
  } as const;
  const given = strategy.statusOnCreate === 'keep' || !kind.hasStatus ? converted : withoutStatus(converted);
  const object = { ...given, kind: stored.kind, apiVersion: stored.apiVersion, metadata };
  const admitted = await registry.admission.admit({ ...attributes, object }, object);
  const context = strategyContext(registry, user);
  const ready = strategy.prepareForCreate(admitted, context);
  const errors = [...metadataErrors(stored, ready.metadata ?? {}), ...strategy.validate(ready, context)];
  if (errors.length > 0) {
    throw invalid(stored, name, errors);
  }
  if (strategy.warnings !== undefined) {
    creation.warnings.push(...strategy.warnings(ready, undefined));
  }
  await registry.admission.validate({ ...attributes, object: ready });
  return ready;
}

function withoutStatus(object: ApiObject): ApiObject {
  const { status: _status, ...rest } = object as ApiObject & { status?: unknown };
  return rest;
}

/** @throws StatusError BadRequest when the body names another namespace than the URL */
function newMetadata(registry: Registry, creation: Creation, name: string, managedFields: Entries): ObjectMeta {
  const { stored, namespace, object } = creation;
  const given = object.metadata ?? {};
  if (stored.namespaced && (given.namespace ?? '') !== '' && given.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if ((given.resourceVersion ?? '') !== '') {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  const {
    managedFields: _managed,
    selfLink: _self,
    resourceVersion: _revision,
    deletionTimestamp: _deletion,
    deletionGracePeriodSeconds: _grace,
    generation: _generation,
    ...kept
  } = given;
  return {
    ...kept,
    name,
    ...(stored.namespaced ? { namespace } : {}),
    uid: registry.random.uuid(),
    creationTimestamp: rfc3339(registry.clock.now()),
    ...(stored.strategy.generation === true ? { generation: 1 } : {}),
    ...(managedFields === undefined ? {} : { managedFields }),
  };
}
