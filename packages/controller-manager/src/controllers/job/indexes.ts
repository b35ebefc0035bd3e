import type { Pod } from '@wherry/api';

export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** Index of a pod of an indexed Job; undefined when it has none or one that makes no sense. */
export function completionIndex(pod: Pod): number | undefined {
  const text = pod.metadata?.annotations?.[COMPLETION_INDEX];
  return text !== undefined && /^(0|[1-9]\d*)$/.test(text) ? Number(text) : undefined;
}

/**
 * Reads `1,3-5,7`. Indexes from `limit` on are left out: completions may have been lowered. What cannot be read
 * counts as nothing, as upstream does.
 */
export function parseIndexes(text: string | undefined, limit: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) continue;
    const first = Number(match[1]);
    const last = Math.min(Number(match[2] ?? match[1]), limit - 1);
    for (let index = first; index <= last; index++) indexes.add(index);
  }
  return indexes;
}

/** Writes `1,3-5,7`; two in a row stay apart by a comma, as upstream writes them. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((left, right) => left - right);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    const [first, last] = [sorted[at], sorted[end]];
    if (end === at) parts.push(String(first));
    else parts.push(end === at + 1 ? `${first},${last}` : `${first}-${last}`);
    at = end + 1;
  }
  return parts.join(',');
}

/** The lowest `count` indexes below `completions` that are in none of the sets. */
export function firstFreeIndexes(count: number, completions: number, taken: readonly ReadonlySet<number>[]): number[] {
  const free: number[] = [];
  for (let index = 0; index < completions && free.length < count; index++) {
    if (!taken.some((set) => set.has(index))) free.push(index);
  }
  return free;
}
