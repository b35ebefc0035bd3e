import type { Taint } from '@wherry/api';
import { VerbError } from './verb-error.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export interface TaintChanges {
  readonly set: readonly Taint[];
  /** Without effect: all taints of the key. */
  readonly removed: readonly { readonly key: string; readonly effect: string | undefined }[];
}

/** `key=value:Effect`, `key:Effect`, `key:Effect-` and `key-`. */
export function parseTaints(words: readonly string[]): TaintChanges {
  const set: Taint[] = [];
  const removed: { key: string; effect: string | undefined }[] = [];
  for (const word of words) {
    const isRemoval = word.endsWith('-');
    const [left = '', effect, ...more] = (isRemoval ? word.slice(0, -1) : word).split(':');
    const [key = '', value, ...rest] = left.split('=');
    if (key === '' || more.length + rest.length > 0) throw new VerbError(`invalid taint spec: ${word}`);
    if (effect !== undefined && !EFFECTS.includes(effect)) {
      throw new VerbError(`invalid taint effect: ${effect}, unsupported taint effect`);
    }
    if (isRemoval) removed.push({ key, effect });
    else if (effect === undefined) throw new VerbError(`invalid taint spec: ${word}`);
    else set.push({ key, effect, ...(value === undefined ? {} : { value }) });
  }
  return { set, removed };
}

/**
 * @throws VerbError when a taint to remove is not there, or one to set is and may not be overwritten
 */
export function changedTaints(
  node: string,
  current: readonly Taint[],
  changes: TaintChanges,
  overwrite: boolean,
): readonly Taint[] {
  const { set, removed } = changes;
  const isSame = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;
  if (!overwrite && current.some((taint) => set.some((one) => isSame(one, taint)))) {
    throw new VerbError(`node ${node} already has a taint(s) with same effect(s) and --overwrite is false`);
  }
  for (const { key, effect } of removed) {
    if (!current.some((taint) => taint.key === key && (effect === undefined || taint.effect === effect))) {
      throw new VerbError(`taint "${key}${effect === undefined ? '' : `:${effect}`}" not found`);
    }
  }
  const kept = current.filter(
    (taint) =>
      !set.some((one) => isSame(one, taint)) &&
      !removed.some(({ key, effect }) => key === taint.key && (effect === undefined || effect === taint.effect)),
  );
  return [...set, ...kept];
}
