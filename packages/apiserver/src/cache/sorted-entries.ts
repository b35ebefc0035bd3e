import type { Entry } from './entry.ts';

/**
 * Entries of one namespace in name order, which is the store's key order. Lists take the array as it is; the next
 * change copies it, so a list that is still being sent keeps its revision.
 */
export class SortedEntries {
  readonly #byName = new Map<string, Entry>();
  #sorted: Entry[] = [];
  #lent = false;

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Entry | undefined {
    return this.#byName.get(name);
  }

  /** An array that will never change. */
  lend(): readonly Entry[] {
    this.#lent = true;
    return this.#sorted;
  }

  set(entry: Entry): Entry | undefined {
    const previous = this.#byName.get(entry.name);
    this.#byName.set(entry.name, entry);
    const index = lowerBound(this.#sorted, entry.name);
    const sorted = this.#own();
    if (previous === undefined) {
      sorted.splice(index, 0, entry);
    } else {
      sorted[index] = entry;
    }
    return previous;
  }

  delete(name: string): Entry | undefined {
    const previous = this.#byName.get(name);
    if (previous !== undefined) {
      this.#byName.delete(name);
      this.#own().splice(lowerBound(this.#sorted, name), 1);
    }
    return previous;
  }

  #own(): Entry[] {
    if (this.#lent) {
      this.#sorted = this.#sorted.slice();
      this.#lent = false;
    }
    return this.#sorted;
  }
}

/** Index of the first entry whose name is not below `name`. */
export function lowerBound(sorted: readonly Entry[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = sorted[middle];
    if (entry !== undefined && entry.name < name) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
