/** A binary heap whose items can be taken out from anywhere. */
export class Heap<T extends object> {
  readonly #isBefore: (a: T, b: T) => boolean;
  readonly #items: T[] = [];
  readonly #places = new Map<T, number>();

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#put(item, this.#items.length);
    this.#up(this.#items.length - 1);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.delete(first);
    return first;
  }

  delete(item: T): boolean {
    const at = this.#places.get(item);
    if (at === undefined) return false;
    this.#places.delete(item);
    const last = this.#items.pop();
    if (last === undefined || last === item) return true;
    this.#put(last, at);
    this.#up(at);
    this.#down(this.#places.get(last) ?? at);
    return true;
  }

  *values(): Generator<T> {
    yield* this.#items;
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    this.#places.set(item, at);
  }

  #up(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #down(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = left;
      if (this.#precedes(right, left)) least = right;
      if (!this.#swapIfBefore(least, at)) return;
      at = least;
    }
  }

  #precedes(a: number, b: number): boolean {
    const itemA = this.#items[a];
    const itemB = this.#items[b];
    return itemA !== undefined && itemB !== undefined && this.#isBefore(itemA, itemB);
  }

  /** Swaps the item at `child` above the one at `parent` if it belongs there. */
  #swapIfBefore(child: number, parent: number): boolean {
    if (!this.#precedes(child, parent)) return false;
    const above = this.#items[parent];
    const below = this.#items[child];
    if (above === undefined || below === undefined) return false;
    this.#put(below, parent);
    this.#put(above, child);
    return true;
  }
}
