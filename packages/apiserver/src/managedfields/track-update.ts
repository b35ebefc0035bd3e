// Field tracking of everything but apply.
import type { ManagedFieldsEntry } from '@wherry/api';
import { isSame } from './compare.ts';
import { createdText } from './created-text.ts';
import { difference, isEmpty, union } from './field-set.ts';
import {
  capUpdaters,
  entriesOf,
  type Manager,
  type ManagerIdentity,
  managersOf,
  newEntry,
  readManagers,
  sameEntries,
  sameManager,
} from './managers.ts';
import { OwnedFields } from './owned-fields.ts';
import { afterChange, ObjectChange } from './ownership.ts';
import { forgetsManagers, type WriteFilter } from './reset-fields.ts';
import type { TrackedKind } from './tracked-kind.ts';
import type { Bag } from './values.ts';

export type Entries = readonly ManagedFieldsEntry[] | undefined;

export interface Writer {
  /** As the client names itself; '' becomes `unknown`. */
  readonly manager: string;
  /** `''`: the object itself. */
  readonly subresource: string;
  readonly filter: WriteFilter;
  /** RFC 3339, whole seconds. */
  readonly now: string;
}

/** The entries of an object that is made. */
export function trackCreate(kind: TrackedKind, object: Bag, sent: Entries, writer: Writer): Entries {
  const managers = forgetsManagers(sent) ? [] : (readManagers(sent ?? []) ?? []);
  if (managers.length > 0 || !writer.filter.skipsOnly) return tracked(kind, kind.blank, object, managers, writer);
  const text = createdText(kind.shape, kind.blank, object, writer.filter.skipped);
  return text === '{}' ? undefined : [newEntry(identityOf(kind, writer, 'Update'), new OwnedFields(text), writer.now)];
}

/**
 * The entries of an object after a write. Objects that nobody owned before stay that way until they are applied.
 * @param live the entries that the object has
 * @param sent those that the client sent with it, which count unless it writes a subresource
 */
export function trackUpdate(
  kind: TrackedKind,
  before: Bag,
  after: Bag,
  live: Entries,
  sent: Entries,
  writer: Writer,
): Entries {
  const read = managersSent(live, sent, writer.subresource !== '');
  if (read === undefined && (live === undefined || live.length === 0)) return undefined;
  if (read?.length === 0) return undefined;
  const change = new ObjectChange(kind, before, after, writer.filter);
  if (read === undefined && isSame(change.own) && !speaksOthers(kind, live)) return live;
  return changed(kind, change, read ?? managersOf(live), writer);
}

/** Those that count instead of the object's own; undefined: none do. */
function managersSent(live: Entries, sent: Entries, subresource: boolean): readonly Manager[] | undefined {
  if (subresource || sent === undefined || sent === live) return undefined;
  if (forgetsManagers(sent)) return [];
  // Clients that read, change and write send what they were given.
  if (live !== undefined && sameEntries(sent, live, 'compare')) return undefined;
  const read = readManagers(sent);
  return read === undefined || read.length === 0 ? undefined : read;
}

/** Versions that are served no more are dropped even if nothing else changes. */
function speaksOthers({ apiVersion }: TrackedKind, entries: Entries): boolean {
  return (entries ?? []).some((entry) => entry.apiVersion !== apiVersion);
}

function tracked(kind: TrackedKind, before: Bag, after: Bag, managers: readonly Manager[], writer: Writer): Entries {
  return changed(kind, new ObjectChange(kind, before, after, writer.filter), managers, writer);
}

function changed(kind: TrackedKind, change: ObjectChange, managers: readonly Manager[], writer: Writer): Entries {
  const identity = identityOf(kind, writer, 'Update');
  const left = afterChange(managers, change, identity);
  const { added, modified, removed } = change.own;
  const won = isSame(change.own) ? added : difference(union(modified, added), removed);
  if (isEmpty(won)) return entriesOf(capUpdaters(left));
  const mine = left.find((manager) => sameManager(manager, identity));
  const fields = mine === undefined ? won : union(mine.fields, won);
  const next: Manager = { ...identity, fields, time: writer.now };
  return entriesOf(capUpdaters([...left.filter((manager) => manager !== mine), next]));
}

export function identityOf(
  { apiVersion }: TrackedKind,
  { manager, subresource }: Pick<Writer, 'manager' | 'subresource'>,
  operation: 'Apply' | 'Update',
): ManagerIdentity {
  return { manager: manager === '' ? 'unknown' : manager, operation, apiVersion, subresource };
}
