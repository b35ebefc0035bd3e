import { type ApiObject, isAlreadyExists } from '@wherry/api';
import { groups, type UserInfo } from '../auth/identity.ts';
import type { Registry } from '../registry/context.ts';
import { createObject } from '../registry/create.ts';
import { ownManager } from '../registry/field-tracking.ts';
import type { KindTable } from '../registry/served-kind.ts';

/** Who the API server is when it writes by itself. */
export const self: UserInfo = { name: 'system:apiserver', uid: '', groups: [groups.masters], extra: {} };

/** Creates an object of the stored version, as a client would. False: it exists. */
export async function createIfMissing(
  registry: Registry,
  kinds: KindTable,
  group: string,
  resource: string,
  object: ApiObject,
): Promise<boolean> {
  const kind = kinds.storedVersion(group, resource);
  const { stored } = kind;
  if (stored === undefined) {
    throw new Error(`${resource} is not stored`);
  }
  const namespace = object.metadata?.namespace ?? '';
  if (stored.cache.get(namespace, object.metadata?.name ?? '') !== undefined) {
    return false;
  }
  try {
    // Defaulting changes objects in place; bootstrap data is shared.
    const own = JSON.parse(JSON.stringify(object)) as ApiObject;
    await createObject(registry, {
      kind,
      stored,
      namespace,
      object: own,
      user: self,
      dryRun: false,
      warnings: [],
      managed: ownManager,
    });
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) {
      return false;
    }
    throw error;
  }
}

/** Changes a stored object that exists. `change` answers undefined when all is well. */
export async function changeExisting(
  registry: Registry,
  kinds: KindTable,
  group: string,
  resource: string,
  namespace: string,
  name: string,
  change: (object: ApiObject) => ApiObject | undefined,
): Promise<void> {
  const { stored } = kinds.storedVersion(group, resource);
  if (stored === undefined) {
    throw new Error(`${resource} is not stored`);
  }
  await registry.store.update(stored, namespace, name, { dryRun: false }, (current) => {
    const next = change(current.object());
    return next === undefined ? { kind: 'keep' } : { kind: 'write', object: next };
  });
}
