import type { StructShape } from './shape.ts';
import type { Bag } from './values.ts';

/** A kind in one of its versions, as field tracking sees it. */
export interface TrackedKind {
  readonly apiVersion: string;
  readonly shape: StructShape;
  /** What Go has before anything is set: the fields that are always there. */
  readonly blank: Bag;
  /** The same kind in another version; undefined where that version is not served. */
  inVersion(apiVersion: string): OtherVersion | undefined;
}

export interface OtherVersion {
  readonly kind: TrackedKind;
  /** An object of the first kind's version in this one. */
  convert(object: Bag): Bag;
  /** And back. */
  convertBack(object: Bag): Bag;
}

/** The object with the parts of its kind that it lacks; as stored it may have none of those that are empty. */
export function withBlanks({ blank }: TrackedKind, object: Bag): Bag {
  for (const name in blank) if (object[name] === undefined) return { ...blank, ...object };
  return object;
}
