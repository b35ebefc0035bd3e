// Takes fields out of a value.
import { below, type FieldSet, has, hasChildren, isEmpty, leaf, union, withSelf } from './field-set.ts';
import { itemStep } from './list-items.ts';
import { fieldElement, self } from './path-element.ts';
import type { AnyShape, ListShape, SetShape, Shape, StructShape } from './shape.ts';
import { type Bag, isBag } from './values.ts';

const any: AnyShape = { kind: 'any' };

/** The object without the members of the set; what is emptied by it becomes null. */
export function removeFields(shape: StructShape, object: Bag, set: FieldSet): Bag {
  return isEmpty(set) ? object : ((removeFrom(shape, object, set) as Bag | null) ?? {});
}

function removeFrom(shape: Shape, value: unknown, set: FieldSet): unknown {
  switch (shape.kind) {
    case 'struct':
      return removeFromBag((name) => shape.fields.get(name)?.shape ?? any, value, set);
    case 'map':
      return removeFromBag(() => shape.values, value, set);
    case 'any':
      return isBag(value) ? removeFromBag(() => any, value, set) : Array.isArray(value) ? null : value;
    case 'list':
    case 'set':
      return removeFromList(shape, value, set);
    case 'scalar':
      return value;
    default:
      // Only whole can it go.
      return null;
  }
}

function removeFromBag(shapeOf: (name: string) => Shape, value: unknown, set: FieldSet): Bag | null {
  if (!isBag(value)) return null;
  const kept: Record<string, unknown> = {};
  let any = false;
  for (const name of Object.keys(value)) {
    const element = fieldElement(name);
    if (has(set, [element])) continue;
    const part = below(set, element);
    kept[name] = hasChildren(part) ? removeFrom(shapeOf(name), value[name], part) : value[name];
    any = true;
  }
  return any ? kept : null;
}

function removeFromList(shape: ListShape | SetShape, value: unknown, set: FieldSet): unknown[] | null {
  const kept: unknown[] = [];
  for (const item of Array.isArray(value) ? value : []) {
    const step = itemStep(shape, item);
    const element = 'element' in step ? step.element : '';
    if (has(set, [element])) continue;
    const part = below(set, element);
    kept.push(hasChildren(part) ? removeFrom(shape.items, item, part) : item);
  }
  return kept.length === 0 ? null : kept;
}

/** The set with all named fields that lead to a member, which are otherwise only implied. */
export function withNamedFields(shape: Shape, set: FieldSet): FieldSet {
  const node: Record<string, FieldSet> = {};
  for (const element in set) {
    const child = set[element] as FieldSet;
    if (element === self || !hasChildren(child)) {
      node[element] = child;
      continue;
    }
    const named = shape.kind === 'struct' && element.startsWith('f:') ? shape.fields.get(element.slice(2)) : undefined;
    const inner = withNamedFields(named?.shape ?? innerShape(shape, element), child);
    node[element] = named === undefined ? inner : withSelf(inner);
  }
  return node;
}

function innerShape(shape: Shape, element: string): Shape {
  if (shape.kind === 'map' && element.startsWith('f:')) return shape.values;
  return shape.kind === 'list' && element.startsWith('k:') ? shape.items : any;
}

/** The union of many sets. */
export function unionOf(sets: Iterable<FieldSet>): FieldSet {
  let all = leaf;
  for (const set of sets) all = union(all, set);
  return all;
}
