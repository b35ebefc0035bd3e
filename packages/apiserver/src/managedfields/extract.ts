// Which fields a value has.
import { type FieldSet, isEmpty, leaf, nodeOf, withSelf } from './field-set.ts';
import { itemsByElement } from './list-items.ts';
import { compareText, fieldElement, self } from './path-element.ts';
import type { AnyShape, ListShape, MapShape, SetShape, Shape, StructShape } from './shape.ts';
import { type Bag, isBag, isEmptyBag, isEmptyList } from './values.ts';

const any: AnyShape = { kind: 'any' };

/** What an applied configuration states: its scalars, its elements of lists and entries of maps. */
export function fieldSetOf(shape: StructShape, value: unknown): FieldSet {
  return stated(shape, value) ?? leaf;
}

/** Undefined: nothing, the value is only the place of what is not there. */
function stated(shape: Shape, value: unknown): FieldSet | undefined {
  switch (shape.kind) {
    case 'struct':
      return isBag(value) ? statedFields(shape, value) : undefined;
    case 'map':
      return isBag(value) ? statedEntries(shape.values, value) : undefined;
    case 'any':
      if (isBag(value)) return statedEntries(any, value);
      return leaf;
    case 'list':
    case 'set':
      return isEmptyList(value) ? undefined : statedItems(shape, value);
    default:
      return leaf;
  }
}

function statedFields(shape: StructShape, value: Bag): FieldSet | undefined {
  const node: Record<string, FieldSet> = {};
  for (const { name, element, shape: inner, untracked } of shape.sorted) {
    const given = value[name];
    if (given === undefined || untracked) continue;
    const child = given === null || (isBag(given) && isEmptyBag(given)) ? leaf : stated(inner, given);
    if (child !== undefined) node[element] = child;
  }
  return isEmpty(node) ? undefined : node;
}

function statedEntries(values: Shape, value: Bag): FieldSet | undefined {
  const node: Record<string, FieldSet> = {};
  for (const name of Object.keys(value).sort(compareText)) {
    const child = stated(values, value[name]);
    node[fieldElement(name)] = child === undefined ? leaf : withSelf(child);
  }
  return isEmpty(node) ? undefined : node;
}

function statedItems(shape: ListShape | SetShape, value: unknown): FieldSet | undefined {
  const children: [string, FieldSet][] = [];
  for (const [element, items] of itemsByElement(shape, value)) {
    const child = items.length === 1 ? stated(shape.items, items[0]) : undefined;
    children.push([element, child === undefined ? leaf : withSelf(child)]);
  }
  return children.length === 0 ? undefined : nodeOf(children, false);
}

/** A value that was not there before, or is there no more: itself and all that it is made of. */
export function wholeOf(shape: Shape, value: unknown): FieldSet {
  switch (shape.kind) {
    case 'struct':
      return isEmptyBag(value) ? leaf : wholeFields(shape, value as Bag);
    case 'map':
      return isEmptyBag(value) ? leaf : wholeEntries(shape, value as Bag);
    case 'any':
      return isEmptyBag(value) ? leaf : wholeEntries({ kind: 'map', values: any }, value as Bag);
    case 'list':
    case 'set':
      return isEmptyList(value) ? leaf : wholeItems(shape, value);
    default:
      return leaf;
  }
}

function wholeFields(shape: StructShape, value: Bag): FieldSet {
  const node: Record<string, FieldSet> = { [self]: leaf };
  for (const { name, element, shape: inner, untracked } of shape.sorted) {
    const given = value[name];
    if (given !== undefined && !untracked) node[element] = wholeOf(inner, given);
  }
  return node;
}

function wholeEntries(shape: MapShape, value: Bag): FieldSet {
  const node: Record<string, FieldSet> = { [self]: leaf };
  const names = Object.keys(value);
  if (names.length > 1) names.sort(compareText);
  for (const name of names) node[fieldElement(name)] = wholeOf(shape.values, value[name]);
  return node;
}

function wholeItems(shape: ListShape | SetShape, value: unknown): FieldSet {
  const children: [string, FieldSet][] = [];
  for (const [element, items] of itemsByElement(shape, value)) {
    children.push([element, items.length === 1 ? wholeOf(shape.items, items[0]) : leaf]);
  }
  return nodeOf(children, true);
}
