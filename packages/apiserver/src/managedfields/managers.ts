// The managers of an object's fields, as metadata.managedFields lists them.
import type { ManagedFieldsEntry } from '@wherry/api';
import { type FieldSet, readFieldSet, union } from './field-set.ts';
import { OwnedFields, quotedElement } from './owned-fields.ts';
import { compareText } from './path-element.ts';
import { sameValue } from './values.ts';

export type Operation = 'Apply' | 'Update';

/** Who owns: appliers whatever version they speak, updaters for each version apart. */
export interface ManagerIdentity {
  readonly manager: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
}

export interface Manager extends ManagerIdentity {
  readonly fields: FieldSet;
  /** RFC 3339, whole seconds; undefined on entries that never changed the object. */
  readonly time: string | undefined;
  /** The entry that says all this, while nothing has changed. */
  readonly entry?: ManagedFieldsEntry;
}

/** Updaters that an object remembers; older ones become one. */
const UPDATERS_MAX = 10;
const ancient = 'ancient-changes';

export function sameManager(left: ManagerIdentity, right: ManagerIdentity): boolean {
  return (
    left.manager === right.manager &&
    left.operation === right.operation &&
    left.subresource === right.subresource &&
    (left.operation === 'Apply' || left.apiVersion === right.apiVersion)
  );
}

/** Upstream's name of a manager, by which it sorts: the entry as JSON, without what it owns. */
export function managerId({ manager, operation, apiVersion, subresource }: ManagerIdentity): string {
  return JSON.stringify({
    ...(manager === '' ? {} : { manager }),
    operation,
    ...(operation === 'Apply' ? {} : { apiVersion }),
    ...(subresource === '' ? {} : { subresource }),
  });
}

/** Entries that this server wrote are taken as they are. */
export function managersOf(entries: readonly ManagedFieldsEntry[] | undefined): readonly Manager[] {
  return (entries ?? []).map((entry) => new ListedManager(entry));
}

/** A manager as an entry lists it; what it owns is only read when that matters. */
class ListedManager implements Manager {
  readonly manager: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly entry: ManagedFieldsEntry;

  constructor(entry: ManagedFieldsEntry) {
    this.manager = entry.manager ?? '';
    this.operation = entry.operation === 'Apply' ? 'Apply' : 'Update';
    this.apiVersion = entry.apiVersion ?? '';
    this.subresource = entry.subresource ?? '';
    this.time = entry.time;
    this.entry = entry;
  }

  /** Entries that came from the store hold plain sets, those that were made here texts. */
  get fields(): FieldSet {
    const fields: unknown = this.entry.fieldsV1;
    return fields instanceof OwnedFields ? fields.set : ((fields ?? {}) as FieldSet);
  }
}

/** Whether a manager can own anything of a set: false is certain. */
export function mayOwn(manager: Manager, set: FieldSet): boolean {
  const fields: unknown = manager.entry?.fieldsV1;
  if (!(fields instanceof OwnedFields)) return true;
  for (const element in set) if (fields.text.includes(quotedElement(element))) return true;
  return false;
}

/** Entries that a client sent; undefined if any of them cannot be used, as upstream then ignores them all. */
export function readManagers(entries: readonly ManagedFieldsEntry[]): readonly Manager[] | undefined {
  const managers: Manager[] = [];
  for (const entry of entries) {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') return undefined;
    if ((entry.apiVersion ?? '') === '' || entry.fieldsType !== 'FieldsV1') return undefined;
    let fields: FieldSet;
    try {
      fields = readFieldSet(entry.fieldsV1);
    } catch {
      return undefined;
    }
    const manager = managerOf(entry, fields);
    const known = managers.findIndex((other) => sameManager(other, manager));
    if (known === -1) managers.push(manager);
    else managers[known] = manager;
  }
  return managers;
}

function managerOf(entry: ManagedFieldsEntry, fields: FieldSet): Manager {
  return {
    manager: entry.manager ?? '',
    operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
    apiVersion: entry.apiVersion ?? '',
    subresource: entry.subresource ?? '',
    time: entry.time,
    fields,
  };
}

/** In upstream's order; undefined when nobody owns anything. */
export function entriesOf(managers: readonly Manager[]): readonly ManagedFieldsEntry[] | undefined {
  return managers.length === 0 ? undefined : [...managers].sort(compareManagers).map(entryOf);
}

function entryOf(of: Manager): ManagedFieldsEntry {
  return of.entry ?? newEntry(of, OwnedFields.of(of.fields), of.time);
}

export function newEntry(
  { manager, operation, apiVersion, subresource }: ManagerIdentity,
  fields: OwnedFields,
  time: string | undefined,
): ManagedFieldsEntry {
  return {
    ...(manager === '' ? {} : { manager }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields as unknown as NonNullable<ManagedFieldsEntry['fieldsV1']>,
    ...(subresource === '' ? {} : { subresource }),
  };
}

function compareManagers(left: Manager, right: Manager): number {
  return (
    compareText(left.operation, right.operation) ||
    compareText(left.time ?? '', right.time ?? '') ||
    compareText(left.manager, right.manager) ||
    compareText(left.apiVersion, right.apiVersion) ||
    compareText(left.subresource, right.subresource)
  );
}

/** At most so many updaters: the oldest are merged, for each version apart. */
export function capUpdaters(managers: readonly Manager[]): readonly Manager[] {
  const updaters = managers.filter(({ operation }) => operation === 'Update');
  if (updaters.length <= UPDATERS_MAX) return managers;
  const oldestFirst = updaters.sort(
    (left, right) => compareText(left.time ?? '', right.time ?? '') || compareText(managerId(left), managerId(right)),
  );
  const kept = new Set(managers);
  const buckets = new Map<string, Manager>();
  let count = oldestFirst.length;
  for (const oldest of oldestFirst) {
    if (count <= UPDATERS_MAX) break;
    const { apiVersion } = oldest;
    const bucket = buckets.get(apiVersion);
    if (bucket === undefined) {
      buckets.set(apiVersion, oldest);
      continue;
    }
    kept.delete(bucket);
    kept.delete(oldest);
    const fields = union(bucket.fields, oldest.fields);
    const merged: Manager = {
      manager: ancient,
      operation: 'Update',
      apiVersion,
      subresource: '',
      time: oldest.time,
      fields,
    };
    kept.add(merged);
    buckets.set(apiVersion, merged);
    count -= 1;
  }
  return [...kept];
}

/** Whether two lists of entries say the same. */
export function sameEntries(
  left: readonly ManagedFieldsEntry[],
  right: readonly ManagedFieldsEntry[],
  times: 'compare' | 'ignore',
): boolean {
  return left.length === right.length && left.every((entry, at) => sameEntry(entry, right[at], times));
}

function sameEntry(
  left: ManagedFieldsEntry,
  right: ManagedFieldsEntry | undefined,
  times: 'compare' | 'ignore',
): boolean {
  if (left === right) return true;
  return (
    right !== undefined &&
    left.manager === right.manager &&
    left.operation === right.operation &&
    left.apiVersion === right.apiVersion &&
    left.subresource === right.subresource &&
    (times === 'ignore' || left.time === right.time) &&
    left.fieldsType === right.fieldsType &&
    sameFields(left.fieldsV1, right.fieldsV1)
  );
}

function sameFields(left: unknown, right: unknown): boolean {
  if (left instanceof OwnedFields && right instanceof OwnedFields) return left.text === right.text;
  return sameValue(left instanceof OwnedFields ? left.set : left, right instanceof OwnedFields ? right.set : right);
}
