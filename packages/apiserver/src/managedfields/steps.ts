/** A step with the texts in which it stands in a set. */
export interface Step {
  readonly element: string;
  /** When nothing below it is a member: `"f:name":{}`. */
  readonly leafText: string;
  /** Before what is below it: `"f:name":{`. */
  readonly openText: string;
}

export function stepOf(element: string): Step {
  const name = JSON.stringify(element);
  return { element, leafText: `${name}:{}`, openText: `${name}:{` };
}

/** Steps that a list remembers; names of containers and ports come again and again. */
const REMEMBERED_MAX = 4_000;

type Level = Map<unknown, Level | Step>;

/** Steps by the values that they are made of. */
export class StepCache {
  #root: Level = new Map();
  #size = 0;

  /** @param values always as many */
  get(values: readonly unknown[], make: () => string): Step {
    let level = this.#root;
    const last = values.length - 1;
    for (let at = 0; at < last; at += 1) {
      let next = level.get(values[at]) as Level | undefined;
      if (next === undefined) {
        next = new Map();
        level.set(values[at], next);
      }
      level = next;
    }
    return (level.get(values[last]) as Step | undefined) ?? this.#add(level, values[last], make());
  }

  #add(level: Level, value: unknown, element: string): Step {
    const step = stepOf(element);
    if (this.#size >= REMEMBERED_MAX) {
      this.#root = new Map();
      this.#size = 0;
    } else {
      level.set(value, step);
      this.#size += 1;
    }
    return step;
  }
}
