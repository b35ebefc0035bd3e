// Questions about quantities that have passed the schema check; texts that are none answer "no".
import { compareQuantities as compare, parseQuantity, QuantityFormatError } from '@wherry/api';

const wholeNumber = /^\d+(\.0*)?([kMGTPE]i?)?$/;

export function compareQuantities(left: string, right: string): number {
  return left === right ? 0 : orElse(() => compare(left, right), 0);
}

export function sameQuantity(left: string, right: string): boolean {
  return left === right || orElse(() => compare(left, right) === 0, false);
}

export function isNegativeQuantity(value: string): boolean {
  return value.startsWith('-') && orElse(() => compare(value, '0') < 0, false);
}

export function isZeroQuantity(value: string): boolean {
  return value === '0' || orElse(() => parseQuantity(value).nano === 0n, false);
}

export function isPositiveQuantity(value: string): boolean {
  return orElse(() => parseQuantity(value).nano > 0n, false);
}

export function isWholeQuantity(value: string): boolean {
  return wholeNumber.test(value) || orElse(() => thousandths(parseQuantity(value).nano) % 1000n === 0n, true);
}

/** Whether `value` is `unit` times a whole number. */
export function isMultipleOf(value: string, unit: string): boolean {
  return orElse(() => {
    const unitNano = parseQuantity(unit).nano;
    return unitNano !== 0n && parseQuantity(value).nano % unitNano === 0n;
  }, false);
}

/** Upstream looks at no more than thousandths: what is finer is rounded up. */
function thousandths(nano: bigint): bigint {
  return (nano > 0n ? nano + 999_999n : nano) / 1_000_000n;
}

function orElse<T>(question: () => T, answer: T): T {
  try {
    return question();
  } catch (error) {
    if (error instanceof QuantityFormatError) return answer;
    throw error;
  }
}
