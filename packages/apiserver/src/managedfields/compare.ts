// What changed between two versions of an object.
import { wholeOf } from './extract.ts';
import { type FieldSet, isEmpty, leaf, nodeOf } from './field-set.ts';
import { itemsByElement, sameKeys } from './list-items.ts';
import { fieldElement } from './path-element.ts';
import type { ListShape, SetShape, Shape, StructShape } from './shape.ts';
import { type Bag, isBag, isEmptyBag, isEmptyList, sameValue } from './values.ts';

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** The three kinds of changes below one step; undefined: none. */
interface Change {
  readonly added: FieldSet | undefined;
  readonly modified: FieldSet | undefined;
  readonly removed: FieldSet | undefined;
}

const modified: Change = { added: undefined, modified: leaf, removed: undefined };
const none: Comparison = { added: leaf, modified: leaf, removed: leaf };

/** @param skipped fields of the object itself that are not looked at */
export function compareObjects(
  shape: StructShape,
  before: Bag,
  after: Bag,
  skipped: ReadonlySet<string> = nothing,
): Comparison {
  const change = compareFields(shape, before, after, skipped);
  return change === undefined
    ? none
    : { added: change.added ?? leaf, modified: change.modified ?? leaf, removed: change.removed ?? leaf };
}

const nothing: ReadonlySet<string> = new Set();

export function isSame({ added, modified: changed, removed }: Comparison): boolean {
  return isEmpty(added) && isEmpty(changed) && isEmpty(removed);
}

/** Collects changes by step. */
class Changes {
  #added: [string, FieldSet][] | undefined;
  #modified: [string, FieldSet][] | undefined;
  #removed: [string, FieldSet][] | undefined;

  added(element: string, node: FieldSet): void {
    this.#added ??= [];
    this.#added.push([element, node]);
  }

  removed(element: string, node: FieldSet): void {
    this.#removed ??= [];
    this.#removed.push([element, node]);
  }

  below(element: string, change: Change | undefined): void {
    if (change === undefined) return;
    if (change.added !== undefined) this.added(element, change.added);
    if (change.removed !== undefined) this.removed(element, change.removed);
    if (change.modified !== undefined) {
      this.#modified ??= [];
      this.#modified.push([element, change.modified]);
    }
  }

  get all(): Change {
    return { added: asNode(this.#added), modified: asNode(this.#modified), removed: asNode(this.#removed) };
  }
}

function asNode(children: readonly (readonly [string, FieldSet])[] | undefined): FieldSet | undefined {
  return children === undefined ? undefined : nodeOf(children, false);
}

/** Both are there. */
function compareValues(shape: Shape, before: unknown, after: unknown): Change | undefined {
  switch (shape.kind) {
    case 'struct':
      if (isEmptyBag(before) && isEmptyBag(after)) return compareWhole(before, after);
      return compareFields(shape, asBag(before), asBag(after), nothing);
    case 'map':
      if (isEmptyBag(before) && isEmptyBag(after)) return compareWhole(before, after);
      return compareEntries(shape.values, asBag(before), asBag(after));
    case 'list':
    case 'set':
      if (isEmptyList(before) && isEmptyList(after)) return compareWhole(before, after);
      return compareItems(shape, before, after);
    case 'any':
      if (isBag(before) && isBag(after) && !(isEmptyBag(before) && isEmptyBag(after))) {
        return compareEntries(shape, before, after);
      }
      return compareWhole(before, after);
    default:
      return compareWhole(before, after);
  }
}

function compareWhole(before: unknown, after: unknown): Change | undefined {
  return sameValue(before, after) ? undefined : modified;
}

const empty: Bag = {};

function asBag(value: unknown): Bag {
  return isBag(value) ? value : empty;
}

function compareFields(shape: StructShape, before: Bag, after: Bag, skipped: ReadonlySet<string>): Change | undefined {
  let changes: Changes | undefined;
  for (const name in after) {
    const old = before[name];
    const next = after[name];
    if (old === next) continue;
    const field = shape.fields.get(name);
    if (field === undefined || field.untracked || skipped.has(name)) continue;
    if (next === undefined) {
      changes ??= new Changes();
      changes.removed(field.element, wholeOf(field.shape, old));
    } else if (old === undefined) {
      changes ??= new Changes();
      changes.added(field.element, wholeOf(field.shape, next));
    } else {
      const change = compareValues(field.shape, old, next);
      if (change === undefined) continue;
      changes ??= new Changes();
      changes.below(field.element, change);
    }
  }
  for (const name in before) {
    if (before[name] === undefined || Object.hasOwn(after, name)) continue;
    const field = shape.fields.get(name);
    if (field === undefined || field.untracked || skipped.has(name)) continue;
    changes ??= new Changes();
    changes.removed(field.element, wholeOf(field.shape, before[name]));
  }
  return changes?.all;
}

function compareEntries(values: Shape, before: Bag, after: Bag): Change | undefined {
  let changes: Changes | undefined;
  for (const name in after) {
    // Clients choose the names, and may choose those that all objects inherit.
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    const next = after[name];
    if (old === next) continue;
    changes ??= new Changes();
    if (old === undefined) changes.added(fieldElement(name), wholeOf(values, next));
    else changes.below(fieldElement(name), compareValues(values, old, next));
  }
  for (const name in before) {
    if (Object.hasOwn(after, name)) continue;
    changes ??= new Changes();
    changes.removed(fieldElement(name), wholeOf(values, before[name]));
  }
  const all = changes?.all;
  return all?.added === undefined && all?.modified === undefined && all?.removed === undefined ? undefined : all;
}

function compareItems(shape: ListShape | SetShape, before: unknown, after: unknown): Change | undefined {
  const old = Array.isArray(before) ? before : [];
  const next = Array.isArray(after) ? after : [];
  if (shape.kind === 'set' ? sameValue(old, next) : sameOrder(shape, old, next) && allSame(shape, old, next)) {
    return undefined;
  }
  return compareIndexed(shape, itemsByElement(shape, old), itemsByElement(shape, next));
}

function sameOrder(shape: ListShape, old: readonly unknown[], next: readonly unknown[]): boolean {
  return old.length === next.length && old.every((item, at) => sameKeys(shape, item, next[at]));
}

function allSame(shape: ListShape, old: readonly unknown[], next: readonly unknown[]): boolean {
  return old.every((item, at) => compareValues(shape.items, item, next[at]) === undefined);
}

/** Repeated elements have one owner together, and no parts. */
function compareIndexed(
  shape: ListShape | SetShape,
  old: ReadonlyMap<string, readonly unknown[]>,
  next: ReadonlyMap<string, readonly unknown[]>,
): Change | undefined {
  const changes = new Changes();
  for (const [element, theirs] of next) {
    const mine = old.get(element) ?? [];
    if (theirs.length === 1 && mine.length === 1) {
      changes.below(element, compareValues(shape.items, mine[0], theirs[0]));
    } else if (theirs.length > 1 && mine.length > 1) {
      changes.below(element, compareWhole(mine, theirs));
    } else if (theirs.length > 1) {
      if (mine.length === 1) changes.removed(element, wholeOf(shape.items, mine[0]));
      changes.added(element, leaf);
    } else {
      changes.added(element, wholeOf(shape.items, theirs[0]));
      if (mine.length > 1) changes.removed(element, leaf);
    }
  }
  for (const [element, mine] of old) {
    if (next.has(element)) continue;
    changes.removed(element, mine.length === 1 ? wholeOf(shape.items, mine[0]) : leaf);
  }
  const { added, modified: changed, removed } = changes.all;
  return added === undefined && changed === undefined && removed === undefined
    ? undefined
    : { added, modified: changed, removed };
}
