import { decodeObject, facts } from '@wherry/api';
import { applyConfiguration } from './apply.ts';
import { managerId, managersOf } from './managers.ts';
import { textOfSet } from './owned-fields.ts';
import { writeFilter } from './reset-fields.ts';
import { shapeOfKind } from './shape.ts';
import { type Entries, trackCreate, trackUpdate, type Writer } from './track-update.ts';
import type { TrackedKind } from './tracked-kind.ts';
import type { Bag } from './values.ts';

/** A kind of the official API, without defaults or conversions. */
export function trackedOf(group: string, version: string, kind: string): TrackedKind {
  const node = facts.ofKind(group, version, kind);
  if (node === undefined) throw new Error(`No facts about ${kind}`);
  return {
    apiVersion: group === '' ? version : `${group}/${version}`,
    shape: shapeOfKind(node),
    blank: decodeObject(node, {}, { fieldValidation: 'Ignore' }).object,
    inVersion: () => undefined,
  };
}

/** One object that is written again and again. */
export class World {
  readonly kind: TrackedKind;
  object: Bag | undefined;
  managed: Entries;
  #now = 0;
  readonly #decode: (value: unknown) => Bag;

  constructor(group: string, version: string, kind: string) {
    this.kind = trackedOf(group, version, kind);
    const node = facts.ofKind(group, version, kind);
    this.#decode = (value) => {
      if (node === undefined) throw new Error(`No facts about ${kind}`);
      const { object, error } = decodeObject(node, structuredClone(value), { fieldValidation: 'Ignore' });
      if (error !== undefined) throw new Error(error);
      return object;
    };
  }

  /** Each write is a second later than the one before. */
  #writer(manager: string): Writer {
    this.#now += 1;
    const filter = writeFilter({ group: '', resource: 'tests', subresource: '', hasStatus: false });
    return { manager, subresource: '', filter, now: `2026-01-01T00:00:${String(this.#now).padStart(2, '0')}Z` };
  }

  apply(manager: string, config: Bag, force = false): this {
    const { kind, managed } = this;
    const writer = this.#writer(manager);
    const applied = applyConfiguration({ kind, live: this.object, managed, config, writer, force });
    this.object = this.#decode(applied.object);
    this.managed = applied.managed;
    return this;
  }

  update(manager: string, object: Bag): this {
    const next = this.#decode(object);
    const writer = this.#writer(manager);
    this.managed =
      this.object === undefined
        ? trackCreate(this.kind, next, undefined, writer)
        : trackUpdate(this.kind, this.object, next, this.managed, undefined, writer);
    this.object = next;
    return this;
  }

  /** What each owns, as text, by `manager operation`. */
  get owners(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      managersOf(this.managed).map((manager) => [`${manager.manager} ${manager.operation}`, textOfSet(manager.fields)]),
    );
  }

  get times(): Readonly<Record<string, string | undefined>> {
    return Object.fromEntries(managersOf(this.managed).map((manager) => [managerId(manager), manager.time]));
  }
}
