import { type ApiObject, decodeObject } from '@wherry/api';
import { rfc3339 } from '@wherry/daemon';
import { managerName } from '../managedfields/manager-name.ts';
import { writeFilter } from '../managedfields/reset-fields.ts';
import { shapeOfKind } from '../managedfields/shape.ts';
import { type Entries, trackCreate, trackUpdate, type Writer } from '../managedfields/track-update.ts';
import type { TrackedKind } from '../managedfields/tracked-kind.ts';
import type { Bag } from '../managedfields/values.ts';
import type { Registry, ResourceRequest } from './context.ts';
import type { ServedKind } from './served-kind.ts';

/** Whom the fields of a write are ascribed to. */
export interface FieldManager {
  readonly name: string;
  /** Through which subresource; `''`: the object itself. */
  readonly subresource: string;
}

/** What the server writes by itself. */
export const ownManager: FieldManager = { name: 'kube-apiserver', subresource: '' };

export function fieldManagerOf({ request, info }: ResourceRequest, fieldManager: string): FieldManager {
  return { name: managerName(fieldManager, request.header('user-agent')), subresource: info.subresource };
}

export function writerOf(registry: Registry, kind: ServedKind, { name, subresource }: FieldManager): Writer {
  const { group, resource } = kind.resource;
  return {
    manager: name,
    subresource,
    filter: writeFilter({ group, resource, subresource, hasStatus: kind.hasStatus }),
    now: rfc3339(registry.clock.now()),
  };
}

/** Entries of a new object. @param object in the served version, with its defaults, and with the entries it came with */
export function entriesOfNew(registry: Registry, kind: ServedKind, object: ApiObject, by: FieldManager): Entries {
  return trackCreate(trackedKind(kind), object as Bag, object.metadata?.managedFields, writerOf(registry, kind, by));
}

/**
 * Entries of an object after a change.
 * @param old as stored
 * @param next in the served version, with its defaults, and with the entries it came with
 */
export function entriesAfter(
  registry: Registry,
  kind: ServedKind,
  old: ApiObject,
  next: ApiObject,
  by: FieldManager,
): Entries {
  const before = kind.conversion?.fromStored(old) ?? old;
  const writer = writerOf(registry, kind, by);
  const live = old.metadata?.managedFields;
  return trackUpdate(trackedKind(kind), before as Bag, next as Bag, live, next.metadata?.managedFields, writer);
}

const kinds = new WeakMap<ServedKind, TrackedKind>();

export function trackedKind(kind: ServedKind): TrackedKind {
  let tracked = kinds.get(kind);
  if (tracked === undefined) {
    tracked = {
      apiVersion: kind.apiVersion,
      shape: shapeOfKind(kind.node),
      blank: { metadata: {}, ...decodeObject(kind.node, {}, { fieldValidation: 'Ignore' }).object },
      inVersion: (apiVersion) => {
        const other = kind.stored?.versions.get(apiVersion);
        return other === undefined
          ? undefined
          : {
              kind: trackedKind(other),
              convert: (object) => between(kind, other, object),
              convertBack: (object) => between(other, kind, object),
            };
      },
    };
    kinds.set(kind, tracked);
  }
  return tracked;
}

/** By way of the stored version. */
function between(from: ServedKind, to: ServedKind, object: Bag): Bag {
  const stored = from.conversion?.toStored(object as ApiObject) ?? (object as ApiObject);
  return (to.conversion?.fromStored(stored) ?? stored) as Bag;
}
