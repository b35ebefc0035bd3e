import type { Labels } from '@wherry/api';

/** One label of all nodes as numbers: nodes with the same value have the same id, those without the label have -1. */
export class TopologyColumn {
  readonly #key: string;
  readonly #ids = new Map<string, number>();
  ids = new Int32Array(64).fill(-1);

  constructor(key: string) {
    this.#key = key;
  }

  /** Ids are below this. Values that no node has any more keep theirs. */
  get idsEnd(): number {
    return this.#ids.size;
  }

  /** The id of a value that some node has had. */
  idOf(value: string): number | undefined {
    return this.#ids.get(value);
  }

  at(row: number): number {
    return this.ids[row] ?? -1;
  }

  set(row: number, labels: Labels | undefined): void {
    if (row >= this.ids.length) {
      const ids = new Int32Array(Math.max(row + 1, this.ids.length * 2)).fill(-1);
      ids.set(this.ids);
      this.ids = ids;
    }
    const value = labels?.[this.#key];
    if (value === undefined) {
      this.ids[row] = -1;
      return;
    }
    const id = this.#ids.get(value) ?? this.#ids.size;
    this.#ids.set(value, id);
    this.ids[row] = id;
  }
}
