import type { PodInfo } from './pod-info.ts';

/** Questions remembered; the one not asked for longest makes room. */
const QUESTIONS_MAX = 512;

interface Question {
  readonly matches: (pod: PodInfo) => boolean;
  readonly dependsOnNamespaces: boolean;
  counts: Int32Array;
}

interface Rows {
  readonly rowsEnd: number;
  readonly pods: readonly ReadonlyMap<string, PodInfo>[];
}

/**
 * How many pods on each node answer a question ("in namespace shop with labels app=web"). Pods of one workload ask
 * the same, so the answer is counted once and then kept up to date with every pod that comes or goes.
 */
export class PodCounts {
  readonly #table: Rows;
  readonly #questions = new Map<string, Question>();

  constructor(table: Rows) {
    this.#table = table;
  }

  /**
   * @param key says all that `matches` depends on
   * @returns counts by row, live: do not keep it
   */
  of(key: string, matches: (pod: PodInfo) => boolean, dependsOnNamespaces = false): Int32Array {
    const known = this.#questions.get(key);
    if (known !== undefined) {
      this.#questions.delete(key);
      this.#questions.set(key, known);
      if (known.counts.length < this.#table.rowsEnd) known.counts = grown(known.counts, this.#table.rowsEnd);
      return known.counts;
    }
    const counts = new Int32Array(Math.max(64, this.#table.rowsEnd));
    for (let row = 0; row < this.#table.rowsEnd; row++) {
      let count = 0;
      for (const pod of this.#table.pods[row]?.values() ?? []) if (matches(pod)) count++;
      counts[row] = count;
    }
    if (this.#questions.size >= QUESTIONS_MAX) {
      const oldest = this.#questions.keys().next().value;
      if (oldest !== undefined) this.#questions.delete(oldest);
    }
    this.#questions.set(key, { matches, dependsOnNamespaces, counts });
    return counts;
  }

  /** A pod has come to (1) or left (-1) a node. */
  changed(pod: PodInfo, row: number, sign: 1 | -1): void {
    for (const question of this.#questions.values()) {
      if (!question.matches(pod)) continue;
      if (row >= question.counts.length) question.counts = grown(question.counts, row + 1);
      question.counts[row] = (question.counts[row] ?? 0) + sign;
    }
  }

  /** Labels of a namespace have changed: what was counted by them is counted anew. */
  forgetNamespaces(): void {
    for (const [key, question] of this.#questions) if (question.dependsOnNamespaces) this.#questions.delete(key);
  }
}

function grown(counts: Int32Array, length: number): Int32Array {
  const result = new Int32Array(Math.max(length, counts.length * 2));
  result.set(counts);
  return result;
}
