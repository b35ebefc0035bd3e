// Server-side apply: a configuration is laid over an object, and what its manager stated before and states no more goes.
import { ApplyConflicts, type Conflict, conflictsOf } from './conflicts.ts';
import { fieldSetOf } from './extract.ts';
import { difference, type FieldSet, has, intersection, isEmpty, setOf } from './field-set.ts';
import { lastAppliedOf, updatedLastApplied } from './last-applied.ts';
import { entriesOf, type Manager, managersOf, sameManager } from './managers.ts';
import { mergeObjects } from './merge.ts';
import { afterChange, ObjectChange, takenFields } from './ownership.ts';
import { fieldElement } from './path-element.ts';
import { removeFields, unionOf, withNamedFields } from './remove.ts';
import { type Entries, identityOf, trackCreate, type Writer } from './track-update.ts';
import { type TrackedKind, withBlanks } from './tracked-kind.ts';
import { type Bag, sameValue } from './values.ts';

export interface Application {
  readonly kind: TrackedKind;
  /** The object as it is, or undefined: it is to be made. In the version of the configuration. */
  readonly live: Bag | undefined;
  readonly managed: Entries;
  /** As the client sent it, checked with `problemsOf`. */
  readonly config: Bag;
  readonly writer: Writer;
  /** Take fields from whoever owns them. */
  readonly force: boolean;
}

export interface Applied {
  /** Not decoded: what was taken out of it may have left nulls. */
  readonly object: Bag;
  readonly managed: Entries;
}

/** Who owned an object's fields before anybody was asked to say so. */
const beforeFirstApply = 'before-first-apply';
/** Its applies go on where those of older clients, which keep what they applied in an annotation, ended. */
const kubectl = 'kubectl';

/** @throws ApplyConflicts */
export function applyConfiguration(application: Application): Applied {
  const { writer, config } = application;
  const prepared = { ...application, managers: managersBefore(application) };
  const applied = writer.manager === kubectl ? applyAsKubectl(prepared) : applyOnce(prepared);
  return writer.manager === kubectl ? { ...applied, object: updatedLastApplied(applied.object, config) } : applied;
}

type Prepared = Application & { readonly managers: readonly Manager[] };

function managersBefore({ kind, live, managed, writer }: Application): readonly Manager[] {
  const managers = managersOf(managed);
  if (managers.length > 0 || live === undefined) return managers;
  return managersOf(trackCreate(kind, live, undefined, { ...writer, manager: beforeFirstApply }));
}

/** Conflicts about fields that have the value that was last applied by an older kubectl are none. */
function applyAsKubectl(application: Prepared): Applied {
  try {
    return applyOnce(application);
  } catch (error) {
    const { kind, live } = application;
    const allowed = error instanceof ApplyConflicts && live !== undefined ? lastAppliedOf(kind, live) : undefined;
    if (!(error instanceof ApplyConflicts) || allowed === undefined) throw error;
    const forbidden = error.conflicts.filter(({ path }) => !has(allowed, path));
    const wanted = setOf(...error.conflicts.map(({ path }: Conflict) => path));
    if (!isEmpty(difference(wanted, allowed))) throw new ApplyConflicts(forbidden);
    return applyOnce({ ...application, force: true });
  }
}

function applyOnce({ kind, live, managers, config, writer, force }: Prepared): Applied {
  const before = live === undefined ? kind.blank : withBlanks(kind, live);
  const identity = identityOf(kind, writer, 'Apply');
  const last = managers.find((manager) => sameManager(manager, identity));
  const others = managers.filter((manager) => manager !== last);
  const stated = writer.filter.apply(fieldSetOf(kind.shape, config));
  const merged = mergeObjects(kind.shape, before, config);
  const mine: Manager = { ...identity, fields: stated, time: last?.time };
  const after = last === undefined || isEmpty(last.fields) ? merged : pruned(kind, merged, last, [...others, mine]);
  const change = new ObjectChange(kind, before, after, writer.filter);
  const taken = takenFields(others, change);
  if (!force && taken.length > 0) throw new ApplyConflicts(conflictsOf(taken));
  // Nothing of the object changes: then nothing is said about when.
  const unchanged = sameValue(before, after);
  const left = afterChange(others, change);
  const owner: Manager = unchanged ? mine : { ...mine, time: writer.now };
  return {
    object: unchanged ? before : after,
    managed: entriesOf(isEmpty(stated) ? left : [...left, owner]),
  };
}

/** Takes out what the manager stated last time, unless anybody states it now. */
function pruned(kind: TrackedKind, merged: Bag, last: Manager, managers: readonly Manager[]): Bag {
  if (last.apiVersion === kind.apiVersion) return prunedAt(kind, merged, last.fields, managers);
  const other = kind.inVersion(last.apiVersion);
  return other === undefined
    ? merged
    : other.convertBack(prunedAt(other.kind, other.convert(merged), last.fields, managers));
}

/** What identifies an object stays, whoever stated something beside it. */
const metadataItself = setOf([fieldElement('metadata')]);

/** In the version in which the manager spoke last. */
function prunedAt(kind: TrackedKind, merged: Bag, last: FieldSet, managers: readonly Manager[]): Bag {
  const { shape } = kind;
  const lastNamed = difference(withNamedFields(shape, last), metadataItself);
  const without = removeFields(shape, merged, lastNamed);
  const kept = withOwned(kind, merged, without, managers);
  const mergedSet = withNamedFields(shape, fieldSetOf(shape, merged));
  const keptSet = withNamedFields(shape, fieldSetOf(shape, kept));
  return removeFields(shape, merged, intersection(difference(mergedSet, keptSet), lastNamed));
}

/** Puts back what any manager owns, version by version, its own first. */
function withOwned(kind: TrackedKind, merged: Bag, without: Bag, managers: readonly Manager[]): Bag {
  const versions = new Set([kind.apiVersion, ...managers.map(({ apiVersion }) => apiVersion)]);
  let kept = without;
  for (const version of versions) {
    const owned = unionOf(managers.filter(({ apiVersion }) => apiVersion === version).map(({ fields }) => fields));
    if (version === kind.apiVersion) {
      kept = withOwnedAt(kind, merged, kept, owned);
      continue;
    }
    const other = kind.inVersion(version);
    if (other === undefined) continue;
    kept = other.convertBack(withOwnedAt(other.kind, other.convert(merged), other.convert(kept), owned));
  }
  return kept;
}

function withOwnedAt({ shape }: TrackedKind, merged: Bag, without: Bag, owned: FieldSet): Bag {
  const mergedSet = withNamedFields(shape, fieldSetOf(shape, merged));
  const keptSet = unionOf([withNamedFields(shape, fieldSetOf(shape, without)), withNamedFields(shape, owned)]);
  return removeFields(shape, merged, difference(mergedSet, keptSet));
}
