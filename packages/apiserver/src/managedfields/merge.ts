// Lays an applied configuration over the object that is there.
import { itemStep } from './list-items.ts';
import type { AnyShape, ListShape, SetShape, Shape, StructShape } from './shape.ts';
import { type Bag, isBag, isEmptyBag, isEmptyList } from './values.ts';

const any: AnyShape = { kind: 'any' };

/** Nothing is removed by this; where both say something the configuration wins. Null stays, as what was stated. */
export function mergeObjects(shape: StructShape, live: Bag, config: Bag): Bag {
  return mergeValues(shape, live, config) as Bag;
}

/** Undefined: not there. */
function mergeValues(shape: Shape, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined) return config;
  switch (shape.kind) {
    case 'struct':
      return isEmptyBag(live) && isEmptyBag(config)
        ? config
        : mergeBags((name) => shape.fields.get(name)?.shape ?? any, live, config);
    case 'map':
      return isEmptyBag(live) && isEmptyBag(config) ? config : mergeBags(() => shape.values, live, config);
    case 'any':
      return isBag(live) && isBag(config) && !(isEmptyBag(live) && isEmptyBag(config))
        ? mergeBags(() => any, live, config)
        : config;
    case 'list':
    case 'set':
      return isEmptyList(live) && isEmptyList(config) ? config : mergeLists(shape, live, config);
    default:
      return config;
  }
}

function mergeBags(shapeOf: (name: string) => Shape, live: unknown, config: unknown): Bag {
  const mine: Bag = isBag(live) ? live : {};
  const theirs: Bag = isBag(config) ? config : {};
  const merged: Record<string, unknown> = {};
  for (const name of Object.keys(mine)) {
    const stated = Object.hasOwn(theirs, name) ? theirs[name] : undefined;
    put(merged, name, mergeValues(shapeOf(name), mine[name], stated));
  }
  for (const name of Object.keys(theirs)) if (!Object.hasOwn(mine, name)) put(merged, name, theirs[name]);
  return merged;
}

/** Sets a field even if its name is one that objects treat in a way of their own. */
function put(bag: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(bag, name, { value, enumerable: true, writable: true });
  else bag[name] = value;
}

interface Item {
  readonly element: string;
  readonly value: unknown;
}

/**
 * Elements of the configuration keep the order that they have there; those that only the object has stay between the
 * same neighbours as far as that goes.
 */
function mergeLists(shape: ListShape | SetShape, live: unknown, config: unknown): unknown[] {
  const mine = itemsOf(shape, live);
  const theirs = itemsOf(shape, config);
  const stated = new Set(theirs.map(({ element }) => element));
  const present = presentValues(mine);
  const shared = theirs.filter(({ element }) => present.has(element)).map(({ element }) => element);
  const placed = new Set<string>();
  const merged: unknown[] = [];
  let nextShared = 0;
  const place = ({ element, value }: Item): void => {
    placed.add(element);
    merged.push(present.has(element) ? mergeValues(shape.items, present.get(element), value) : value);
  };
  let left = 0;
  let right = 0;
  while (left < mine.length || right < theirs.length) {
    const own = mine[left];
    const their = theirs[right];
    if (own !== undefined && their !== undefined) {
      if (own.element === their.element) {
        place(their);
        left += 1;
        right += 1;
        nextShared += 1;
        continue;
      }
      const wanted = shared[nextShared];
      if (stated.has(own.element) && wanted !== undefined && wanted !== own.element) {
        left += 1;
        continue;
      }
    }
    if (own !== undefined && !stated.has(own.element)) {
      merged.push(own.value);
      left += 1;
      continue;
    }
    if (own !== undefined && placed.has(own.element)) left += 1;
    if (their !== undefined) {
      place(their);
      right += 1;
      if (shared[nextShared] === their.element) nextShared += 1;
    }
  }
  return merged;
}

function itemsOf(shape: ListShape | SetShape, list: unknown): readonly Item[] {
  const items: Item[] = [];
  for (const value of Array.isArray(list) ? list : []) {
    const step = itemStep(shape, value);
    if ('element' in step) items.push({ element: step.element, value });
  }
  return items;
}

/** Values by element; of repeated elements none is the one to merge with. */
function presentValues(items: readonly Item[]): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  for (const { element, value } of items) values.set(element, values.has(element) ? null : value);
  return values;
}
