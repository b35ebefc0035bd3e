// The set of an object that is new, written at once: the commonest way in which one comes to be.
import { sortedItems } from './list-items.ts';
import { compareText, fieldElement } from './path-element.ts';
import { entrySteps, type ListShape, type SetShape, type Shape, type StructShape } from './shape.ts';
import type { Step } from './steps.ts';
import { type Bag, isBag, isEmptyBag, isEmptyList, sameValue } from './values.ts';

const anyValues: Shape = { kind: 'any' };
const selfText = '".":{}';

/**
 * What comparing `blank` with the object finds, as text; `{}` if that is nothing.
 * @param blank the kind's fields that are there even if nobody gave them
 */
export function createdText(shape: StructShape, blank: Bag, object: Bag, skipped: ReadonlySet<string>): string {
  return `{${addedFields(shape, blank, object, skipped)}}`;
}

const nothing: ReadonlySet<string> = new Set();

/** Of an object that was there, empty: its fields, without itself. */
function addedFields(shape: StructShape, blank: Bag, value: Bag, skipped: ReadonlySet<string>): string {
  let text = '';
  for (const { name, step, shape: inner, untracked } of shape.sorted) {
    const given = value[name];
    if (given === undefined || untracked || skipped.has(name)) continue;
    const before = blank[name];
    let part: string;
    if (before === undefined) {
      part = withBelow(step, whole(inner, given));
    } else {
      const below = addedTo(inner, before, given);
      if (below === undefined) continue;
      part = withBelow(step, below);
    }
    text = text === '' ? part : `${text},${part}`;
  }
  return text;
}

/** What is below a value that was there; '' if it is itself another, undefined if nothing changed. */
function addedTo(shape: Shape, before: unknown, value: unknown): string | undefined {
  if (shape.kind === 'struct' && isBag(before) && isBag(value)) {
    return addedFields(shape, before, value, nothing) || undefined;
  }
  if (shape.kind === 'map' && isEmptyBag(before) && !isEmptyBag(value)) return entries(shape.values, value as Bag);
  if ((shape.kind === 'list' || shape.kind === 'set') && isEmptyList(before) && !isEmptyList(value)) {
    return items(shape, value);
  }
  return sameValue(before, value) ? undefined : '';
}

function withBelow({ leafText, openText }: Step, below: string): string {
  return below === '' ? leafText : `${openText}${below}}`;
}

/** Of a value that was not there: itself and all below it; '' for one that has no parts. */
function whole(shape: Shape, value: unknown): string {
  switch (shape.kind) {
    case 'struct':
      return isEmptyBag(value) ? '' : wholeFields(shape, value as Bag);
    case 'map':
      return isEmptyBag(value) ? '' : `${selfText},${entries(shape.values, value as Bag)}`;
    case 'any':
      return isEmptyBag(value) ? '' : `${selfText},${entries(anyValues, value as Bag)}`;
    case 'list':
    case 'set':
      return isEmptyList(value) ? '' : `${selfText},${items(shape, value)}`;
    default:
      return '';
  }
}

function wholeFields(shape: StructShape, value: Bag): string {
  let text = selfText;
  for (const { name, step, shape: inner, untracked } of shape.sorted) {
    const given = value[name];
    if (given !== undefined && !untracked) text += `,${withBelow(step, whole(inner, given))}`;
  }
  return text;
}

function entries(values: Shape, value: Bag): string {
  const names = Object.keys(value);
  if (names.length > 1) names.sort(compareText);
  let text = '';
  for (const name of names) {
    const step = entrySteps.get([name], () => fieldElement(name));
    const part = withBelow(step, whole(values, value[name]));
    text = text === '' ? part : `${text},${part}`;
  }
  return text;
}

function items(shape: ListShape | SetShape, value: unknown): string {
  let text = '';
  for (const { step, value: item, repeated } of sortedItems(shape, value as readonly unknown[])) {
    const part = withBelow(step, repeated ? '' : whole(shape.items, item));
    text = text === '' ? part : `${text},${part}`;
  }
  return text;
}
