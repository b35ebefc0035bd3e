import type { Coordinates } from './graph.ts';

/** Owners remembered as gone; uids never come back, so entries do not age. */
const ABSENT_MAX = 5_000;

/** Remembers which owners are gone, so that a thousand dependents cost one question. The oldest entry makes room. */
export class AbsentOwners {
  readonly #known = new Set<string>();

  add(coordinates: Coordinates): void {
    if (this.#known.size >= ABSENT_MAX) {
      const [oldest] = this.#known;
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.add(keyOf(coordinates));
  }

  has(coordinates: Coordinates): boolean {
    return this.#known.has(keyOf(coordinates));
  }
}

function keyOf({ apiVersion, kind, namespace, name, uid }: Coordinates): string {
  return `${apiVersion}/${kind}/${namespace}/${name}/${uid}`;
}
