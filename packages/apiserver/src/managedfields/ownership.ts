// Who owns what once an object has changed.
import { type Comparison, compareObjects, isSame } from './compare.ts';
import { difference, type FieldSet, intersection, isEmpty, union } from './field-set.ts';
import { type Manager, type ManagerIdentity, mayOwn, sameManager } from './managers.ts';
import type { WriteFilter } from './reset-fields.ts';
import { type TrackedKind, withBlanks } from './tracked-kind.ts';
import type { Bag } from './values.ts';

/** A change of an object, compared in whatever versions its managers speak. */
export class ObjectChange {
  readonly #kind: TrackedKind;
  readonly #before: Bag;
  readonly #after: Bag;
  readonly #filter: WriteFilter;
  readonly #known = new Map<string, Comparison | undefined>();

  constructor(kind: TrackedKind, before: Bag, after: Bag, filter: WriteFilter) {
    this.#kind = kind;
    this.#before = withBlanks(kind, before);
    this.#after = after;
    this.#filter = filter;
  }

  /** Undefined: no such version is served. */
  in(apiVersion: string): Comparison | undefined {
    if (!this.#known.has(apiVersion)) this.#known.set(apiVersion, this.#compare(apiVersion));
    return this.#known.get(apiVersion);
  }

  get own(): Comparison {
    return this.in(this.#kind.apiVersion) as Comparison;
  }

  #compare(apiVersion: string): Comparison | undefined {
    const { skipped } = this.#filter;
    if (apiVersion === this.#kind.apiVersion) {
      return this.#filtered(compareObjects(this.#kind.shape, this.#before, this.#after, skipped));
    }
    const other = this.#kind.inVersion(apiVersion);
    if (other === undefined) return undefined;
    const { shape } = other.kind;
    const before = withBlanks(other.kind, other.convert(this.#before));
    return this.#filtered(compareObjects(shape, before, other.convert(this.#after), skipped));
  }

  #filtered(comparison: Comparison): Comparison {
    if (isSame(comparison)) return comparison;
    const { added, modified, removed } = comparison;
    const { apply } = this.#filter;
    return { added: apply(added), modified: apply(modified), removed: apply(removed) };
  }
}

/** What a manager owned and this change gives another value. */
export interface Taken {
  readonly manager: Manager;
  readonly fields: FieldSet;
}

/** The fields of others that a change touches. */
export function takenFields(managers: readonly Manager[], change: ObjectChange): readonly Taken[] {
  const taken: Taken[] = [];
  for (const manager of managers) {
    const comparison = change.in(manager.apiVersion);
    if (comparison === undefined) continue;
    const fields = intersection(manager.fields, union(comparison.added, comparison.modified));
    if (!isEmpty(fields)) taken.push({ manager, fields });
  }
  return taken;
}

export function withFields({ manager, operation, apiVersion, subresource, time }: Manager, fields: FieldSet): Manager {
  return { manager, operation, apiVersion, subresource, time, fields };
}

/**
 * What is left to managers after a change by someone; those with nothing, and of versions gone, are dropped.
 * @param writer the one of them who made it, and only loses what is there no more
 */
export function afterChange(
  managers: readonly Manager[],
  change: ObjectChange,
  writer?: ManagerIdentity,
): readonly Manager[] {
  const left: Manager[] = [];
  for (const manager of managers) {
    const comparison = change.in(manager.apiVersion);
    if (comparison === undefined) continue;
    const { added, modified, removed } = comparison;
    if (!mayOwn(manager, added) && !mayOwn(manager, modified) && !mayOwn(manager, removed)) {
      left.push(manager);
      continue;
    }
    const own = writer !== undefined && sameManager(manager, writer);
    const kept = own ? manager.fields : difference(difference(manager.fields, added), modified);
    const fields = difference(kept, removed);
    if (fields === manager.fields) left.push(manager);
    else if (!isEmpty(fields)) left.push(withFields(manager, fields));
  }
  return left;
}
