export type IndexFunction<T> = (object: T) => readonly string[];

/** Objects by key, with secondary indexes kept beside them. */
export class Indexer<T> {
  readonly #objects = new Map<string, T>();
  readonly #functions: readonly (readonly [string, IndexFunction<T>])[];
  readonly #indexes = new Map<string, Map<string, Set<string>>>();

  constructor(functions: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#functions = Object.entries(functions);
    for (const [name] of this.#functions) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  /** @throws when no index has this name */
  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new RangeError(`No index "${name}"`);
    const found: T[] = [];
    for (const key of index.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  set(key: string, object: T): void {
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const [name, values] of this.#functions) {
      const index = this.#indexes.get(name);
      if (index === undefined) continue;
      const before = previous === undefined ? [] : values(previous);
      const after = values(object);
      for (const value of before) if (!after.includes(value)) removeFrom(index, value, key);
      for (const value of after) {
        if (before.includes(value)) continue;
        const keys = index.get(value);
        if (keys === undefined) index.set(value, new Set([key]));
        else keys.add(key);
      }
    }
  }

  delete(key: string): T | undefined {
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    this.#objects.delete(key);
    for (const [name, values] of this.#functions) {
      const index = this.#indexes.get(name);
      if (index !== undefined) for (const value of values(previous)) removeFrom(index, value, key);
    }
    return previous;
  }
}

function removeFrom(index: Map<string, Set<string>>, value: string, key: string): void {
  const keys = index.get(value);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(value);
}
