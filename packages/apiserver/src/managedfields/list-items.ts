import { compareElements, keyElement, valueElement } from './path-element.ts';
import type { ListKey, ListShape, SetShape } from './shape.ts';
import type { Step } from './steps.ts';
import { isBag } from './values.ts';

/** The step that leads to an element, or why there is none (upstream's text). */
export type ItemStep = Step | { readonly problem: string };

export function itemStep(shape: ListShape | SetShape, item: unknown): ItemStep {
  return shape.kind === 'list' ? keyedStep(shape, item) : memberStep(shape, item);
}

function keyedStep({ keys, steps }: ListShape, item: unknown): ItemStep {
  if (item === null) return { problem: 'associative list with keys may not have a null element' };
  if (!isBag(item)) return { problem: 'associative list with keys may not have non-map elements' };
  const values: unknown[] = [];
  let known = false;
  for (const { name, preset } of keys) {
    const value = item[name] ?? preset;
    known ||= value !== undefined;
    values.push(value);
  }
  if (known) return steps.get(values, () => keyElement(pairsOf(keys, values)));
  const names = keys.map(({ name }) => JSON.stringify(name)).join(' ');
  return {
    problem: `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  };
}

function pairsOf(keys: readonly ListKey[], values: readonly unknown[]): (readonly [string, unknown])[] {
  return keys.map(({ name }, at) => [name, values[at]] as const).filter(([, value]) => value !== undefined);
}

function memberStep({ steps }: SetShape, item: unknown): ItemStep {
  if (item === null) return { problem: "associative list without keys has an element that's an explicit null" };
  if (Array.isArray(item)) return { problem: 'not supported: associative list with lists as elements' };
  if (isBag(item)) return { problem: "associative list without keys has an element that's a map type" };
  return steps.get([item], () => valueElement(item));
}

/** Whether two elements have the same keys, told without making their steps: what nearly always is asked. */
export function sameKeys(shape: ListShape | SetShape, left: unknown, right: unknown): boolean {
  if (shape.kind === 'set') return left === right;
  if (!isBag(left) || !isBag(right)) return false;
  for (const { name, preset } of shape.keys) if ((left[name] ?? preset) !== (right[name] ?? preset)) return false;
  return true;
}

/** Elements by their steps, in order; those without one are left out. Repeated ones stand together. */
export function itemsByElement(shape: ListShape | SetShape, list: unknown): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  for (const item of Array.isArray(list) ? list : []) {
    const step = itemStep(shape, item);
    if ('problem' in step) continue;
    const same = found.get(step.element);
    if (same === undefined) found.set(step.element, [item]);
    else same.push(item);
  }
  return found;
}

export interface Item {
  readonly step: Step;
  readonly value: unknown;
  /** Not the only one of its step; `value` is the first. */
  repeated: boolean;
}

/** The elements in the order of sets. */
export function sortedItems(shape: ListShape | SetShape, list: readonly unknown[]): readonly Item[] {
  const items: Item[] = [];
  for (const value of list) {
    const step = itemStep(shape, value);
    if (!('problem' in step)) items.push({ step, value, repeated: false });
  }
  if (items.length < 2) return items;
  items.sort((left, right) => compareElements(left.step.element, right.step.element));
  return items.filter((item, at) => {
    const before = items[at - 1];
    if (before === undefined || before.step.element !== item.step.element) return true;
    markRepeated(items, at);
    return false;
  });
}

function markRepeated(items: readonly Item[], at: number): void {
  const element = items[at]?.step.element;
  for (let first = at - 1; items[first]?.step.element === element; first -= 1) (items[first] as Item).repeated = true;
}
