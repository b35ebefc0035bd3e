// Values that are a count or a percentage, as `maxSurge: 25%`.
import { percentProblems } from '../names/names.ts';

export type IntOrString = number | string;

/**
 * The count that a value stands for.
 * @param rounding which way a percentage of `total` is rounded
 * @returns undefined if the text is not a percentage
 */
export function scaledValue(value: IntOrString, total: number, rounding: 'up' | 'down'): number | undefined {
  if (typeof value === 'number') return value;
  if (percentProblems(value).length > 0) return undefined;
  const share = (Number(value.slice(0, -1)) * total) / 100;
  return rounding === 'up' ? Math.ceil(share) : Math.floor(share);
}

/** The percentage of a text such as `25%`; undefined for numbers and other texts. */
export function percentOf(value: IntOrString): number | undefined {
  if (typeof value === 'number' || percentProblems(value).length > 0) return undefined;
  return Number(value.slice(0, -1));
}
