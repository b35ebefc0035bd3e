import { canonicalElement, compareElements, isKnownElement, self } from './path-element.ts';

/**
 * A set of fields, in the very form of fieldsV1: an object whose keys are steps. A node without children is a member;
 * one with children is a member if `.` is among them. The root stands for the whole object, which nobody owns, so an
 * empty root is the empty set. Keys are in upstream's order; sets are never changed and share what is equal.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

type Draft = Record<string, FieldSet>;

/** The empty set, and as a node a member without children. */
export const leaf: FieldSet = Object.freeze({});

export function isEmpty(node: FieldSet): boolean {
  for (const _element in node) return false;
  return true;
}

function isMember(node: FieldSet): boolean {
  return node[self] !== undefined || isEmpty(node);
}

export function withSelf(node: FieldSet): FieldSet {
  return isMember(node) ? node : { [self]: leaf, ...node };
}

/** A node of these children, which need not be in order. */
export function nodeOf(children: readonly (readonly [string, FieldSet])[], member: boolean): FieldSet {
  const sorted = children.length > 1 ? [...children].sort(([left], [right]) => compareElements(left, right)) : children;
  const node: Draft = {};
  if (member && sorted.length > 0) node[self] = leaf;
  for (const [element, child] of sorted) node[element] = child;
  return node;
}

export function setOf(...paths: readonly (readonly string[])[]): FieldSet {
  return paths.reduce<FieldSet>((set, path) => union(set, pathSet(path)), leaf);
}

function pathSet(path: readonly string[]): FieldSet {
  return path.reduceRight<FieldSet>((node, element) => ({ [element]: node }), leaf);
}

export function has(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) node = node?.[element];
  return path.length > 0 && node !== undefined && isMember(node);
}

/** What is below a step; empty if nothing is. */
export function below(set: FieldSet, element: string): FieldSet {
  return set[element] ?? leaf;
}

export function hasChildren(node: FieldSet): boolean {
  for (const element in node) if (element !== self) return true;
  return false;
}

/** What is in either. Answers `left` itself if `right` adds nothing. */
export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmpty(left)) return right;
  return isEmpty(right) || left === right ? left : mergeNodes(left, right);
}

function unionNodes(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right) return left;
  if (isEmpty(right)) return withSelf(left);
  return isEmpty(left) ? withSelf(right) : mergeNodes(left, right);
}

function mergeNodes(left: FieldSet, right: FieldSet): FieldSet {
  let changed: Draft | undefined;
  let added = false;
  for (const element in right) {
    const mine = left[element];
    const theirs = right[element] as FieldSet;
    const merged = mine === undefined ? theirs : unionNodes(mine, theirs);
    if (merged !== mine) {
      changed ??= {};
      changed[element] = merged;
      added ||= mine === undefined;
    }
  }
  if (changed === undefined) return left;
  return added ? sorted({ ...left, ...changed }) : { ...left, ...changed };
}

function sorted(node: Draft): FieldSet {
  const ordered: Draft = {};
  for (const element of Object.keys(node).sort(compareElements)) ordered[element] = node[element] as FieldSet;
  return ordered;
}

/**
 * What is in `left` and not in `right`. A field stays although the one it is part of goes, and the other way round.
 * Answers `left` itself if `right` takes nothing.
 */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  return subtract(left, right, false) ?? leaf;
}

/** As `difference`, but with a field goes all that is below it. */
export function recursiveDifference(left: FieldSet, right: FieldSet): FieldSet {
  return subtract(left, right, true) ?? leaf;
}

/** Undefined when no child is left. */
function subtract(left: FieldSet, right: FieldSet, recursive: boolean): FieldSet | undefined {
  let changed: Map<string, FieldSet | undefined> | undefined;
  for (const element in right) {
    const mine = left[element];
    if (mine === undefined || element === self) continue;
    const kept = subtractNodes(mine, right[element] as FieldSet, recursive);
    if (kept !== mine) changed = (changed ?? new Map<string, FieldSet | undefined>()).set(element, kept);
  }
  if (changed === undefined) return left;
  const node: Draft = {};
  let children = false;
  for (const element in left) {
    const child = changed.has(element) ? changed.get(element) : left[element];
    if (child === undefined) continue;
    node[element] = child;
    children ||= element !== self;
  }
  return children ? node : undefined;
}

function subtractNodes(left: FieldSet, right: FieldSet, recursive: boolean): FieldSet | undefined {
  const taken = isMember(right);
  if (taken && recursive) return undefined;
  if (isEmpty(left)) return taken ? undefined : left;
  const member = left[self] !== undefined && !taken;
  const kept = subtract(left, right, recursive);
  if (kept === undefined) return member ? leaf : undefined;
  if (member || kept[self] === undefined) return kept;
  const { [self]: _self, ...children } = kept;
  return children;
}

/** What is in both. */
export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  const node: Draft = {};
  for (const element in left) {
    const theirs = right[element];
    if (theirs === undefined || element === self) continue;
    const common = intersectNodes(left[element] as FieldSet, theirs);
    if (common !== undefined) node[element] = common;
  }
  return node;
}

function intersectNodes(left: FieldSet, right: FieldSet): FieldSet | undefined {
  if (left === right) return left;
  const member = isMember(left) && isMember(right);
  const common = intersection(left, right);
  if (isEmpty(common)) return member ? leaf : undefined;
  return member ? withSelf(common) : common;
}

/** All members' paths: those of a level before those below it, as upstream walks a set. */
export function* pathsOf(set: FieldSet, prefix: readonly string[] = []): Generator<readonly string[]> {
  for (const element in set) {
    if (element !== self && isMember(set[element] as FieldSet)) yield [...prefix, element];
  }
  for (const element in set) {
    if (element !== self) yield* pathsOf(set[element] as FieldSet, [...prefix, element]);
  }
}

/** The set that a fieldsV1 of unknown origin describes. @throws Error for a step that cannot be read */
export function readFieldSet(fields: unknown): FieldSet {
  if (fields === undefined || fields === null) return leaf;
  const { node } = readNode(fields);
  return node;
}

function readNode(value: unknown): { readonly node: FieldSet; readonly member: boolean } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('fieldsV1 must consist of objects');
  }
  const children = new Map<string, FieldSet>();
  let member = false;
  for (const [element, below] of Object.entries(value)) {
    if (element === self) {
      member = true;
    } else if (isKnownElement(element)) {
      const child = readNode(below);
      const node = child.member ? withSelf(child.node) : child.node;
      const canonical = canonicalElement(element);
      const known = children.get(canonical);
      children.set(canonical, known === undefined ? node : unionNodes(known, node));
    }
  }
  return { node: nodeOf([...children], false), member: member || children.size === 0 };
}
