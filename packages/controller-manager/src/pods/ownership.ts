import {
  type ApiObject,
  controllerOf,
  type LabelSelector,
  labelSelectorMatches,
  type OwnerReference,
} from '@wherry/api';

/** A controller as its dependents refer to it. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** A controller that is being deleted takes nothing new and lets go of nothing. */
  readonly deleting: boolean;
}

/** The object as an owner; its kind is known by who asks, cached objects do not carry it. */
export function ownerOf(apiVersion: string, kind: string, object: ApiObject): Owner {
  const { name = '', namespace = '', uid = '', deletionTimestamp } = object.metadata ?? {};
  return { apiVersion, kind, name, namespace, uid, deleting: deletionTimestamp !== undefined };
}

export interface Claim<T extends ApiObject> {
  /** Owned and matching; what the plan may count. */
  readonly owned: readonly T[];
  /** Matching orphans to take. They count only once the cache shows them taken. */
  readonly adopt: readonly T[];
  /** Owned, but no longer matching. */
  readonly release: readonly T[];
}

/** Sorts candidates into owned, to be adopted and to be released; objects of other controllers are ignored. */
export function claim<T extends ApiObject>(owner: Owner, selector: LabelSelector, candidates: Iterable<T>): Claim<T> {
  const result = { owned: [] as T[], adopt: [] as T[], release: [] as T[] };
  for (const object of candidates) {
    const meta = object.metadata;
    if (meta === undefined || (meta.namespace ?? '') !== owner.namespace) continue;
    const controller = controllerOf(meta);
    const matches = labelSelectorMatches(selector, meta.labels ?? {});
    if (controller !== undefined) {
      if (controller.uid !== owner.uid) continue;
      if (matches) result.owned.push(object);
      else if (!owner.deleting) result.release.push(object);
    } else if (matches && !owner.deleting && meta.deletionTimestamp === undefined) {
      result.adopt.push(object);
    }
  }
  return result;
}

export function controllerReference(owner: Owner): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.name,
    uid: owner.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Strategic merge patch that makes `owner` the controller; the uid makes it miss a re-created object. */
export function adoptionPatch(owner: Owner, uid: string, finalizers: readonly string[] = []): object {
  return {
    metadata: {
      ownerReferences: [controllerReference(owner)],
      uid,
      ...(finalizers.length > 0 && { finalizers }),
    },
  };
}

/** Strategic merge patch that removes owners' references (and finalizers) from the object with this uid. */
export function releasePatch(
  ownerUids: readonly string[],
  uid: string,
  removeFinalizers: readonly string[] = [],
): object {
  return {
    metadata: {
      uid,
      ownerReferences: ownerUids.map((ownerUid) => ({ $patch: 'delete', uid: ownerUid })),
      ...(removeFinalizers.length > 0 && { '$deleteFromPrimitiveList/finalizers': removeFinalizers }),
    },
  };
}
