// Exact amounts of resources: `250m`, `1.5Gi`, `2e3`. Canonical texts are upstream's.

export type QuantityFormat = 'decimalSI' | 'binarySI' | 'decimalExponent';

export interface Quantity {
  /** The amount in billionths, exact: upstream keeps no finer parts either. */
  readonly nano: bigint;
  /** How the canonical text is written. */
  readonly format: QuantityFormat;
}

export class QuantityFormatError extends Error {
  override readonly name = 'QuantityFormatError';
}

const nanosPerUnit = 1_000_000_000n;
/** Larger amounts are cut to this one. */
const unitsMax = 2n ** 63n - 1n;

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryPowers: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
const decimalSuffixes = new Map(Object.entries(decimalExponents).map(([suffix, exponent]) => [exponent, suffix]));
const binarySuffixes = ['', ...Object.keys(binaryPowers)];

const shape = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*)([-+]?\d*)$/;
const wrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/**
 * @param value text, or the number that JSON allows in its place
 * @throws QuantityFormatError with upstream's text
 */
export function parseQuantity(value: string | number): Quantity {
  const parts = shape.exec(String(value));
  const [, sign = '', whole = '', fraction = '', letters = '', power = ''] = parts ?? [];
  if (parts === null || (whole === '' && fraction === '')) throw new QuantityFormatError(wrongFormat);
  const { format, exponent, shift } = suffixOf(letters, power);
  const digits = BigInt(whole + fraction);
  const scale = exponent - fraction.length + 9;
  let nano = scale >= 0 ? (digits << shift) * 10n ** BigInt(scale) : divideUp(digits << shift, 10n ** BigInt(-scale));
  if (nano > unitsMax * nanosPerUnit) nano = unitsMax * nanosPerUnit;
  return { nano: sign === '-' ? -nano : nano, format };
}

function suffixOf(letters: string, power: string): { format: QuantityFormat; exponent: number; shift: bigint } {
  if ((letters === 'e' || letters === 'E') && power !== '' && power !== '+' && power !== '-') {
    const exponent = Number(power);
    // Beyond this every amount is zero-like or cut anyway; it keeps 10n ** exponent affordable.
    if (Math.abs(exponent) > 10_000) throw new QuantityFormatError("unable to parse quantity's suffix");
    return { format: 'decimalExponent', exponent, shift: 0n };
  }
  const exponent = decimalExponents[letters];
  const shift = binaryPowers[letters];
  if (power !== '' || (exponent === undefined && shift === undefined)) {
    throw new QuantityFormatError("unable to parse quantity's suffix");
  }
  return shift === undefined
    ? { format: 'decimalSI', exponent: exponent ?? 0, shift: 0n }
    : { format: 'binarySI', exponent: 0, shift };
}

/** The canonical text: no fraction, the largest suffix that keeps it exact. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  const small = nano > -1024n * nanosPerUnit && nano < 1024n * nanosPerUnit;
  if (format === 'binarySI' && !small) return formatBinary(nano);
  let exponent = -9;
  let mantissa = nano;
  while (exponent < 18 && mantissa % 1000n === 0n) {
    mantissa /= 1000n;
    exponent += 3;
  }
  if (format === 'decimalExponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  return `${mantissa}${decimalSuffixes.get(exponent) ?? ''}`;
}

function formatBinary(nano: bigint): string {
  let mantissa = divideUp(nano, nanosPerUnit);
  let index = 0;
  while (index < binarySuffixes.length - 1 && mantissa % 1024n === 0n) {
    mantissa /= 1024n;
    index += 1;
  }
  return `${mantissa}${binarySuffixes[index]}`;
}

/** Texts that are canonical as they stand: at most three digits cannot be written shorter. */
const plainlyCanonical = /^(?:0|[1-9]\d{0,2}(?:[numkMGTP]|[KMGTP]i)?)$/;

/** @throws QuantityFormatError */
export function canonicalQuantity(value: string | number): string {
  if (typeof value === 'string' && plainlyCanonical.test(value)) return value;
  return formatQuantity(parseQuantity(value));
}

/** Whole units, fractions rounded up. @throws QuantityFormatError */
export function quantityValue(value: string | number): number {
  return Number(divideUp(parseQuantity(value).nano, nanosPerUnit));
}

/** Thousandths, finer parts rounded up: CPU in millicores. @throws QuantityFormatError */
export function milliValue(value: string | number): number {
  if (typeof value === 'string' && /^\d{1,12}m?$/.test(value)) {
    return value.endsWith('m') ? Number(value.slice(0, -1)) : Number(value) * 1000;
  }
  return Number(divideUp(parseQuantity(value).nano, 1_000_000n));
}

/** The amount as a floating-point number, for ratios and displays. @throws QuantityFormatError */
export function quantityToNumber(value: string | number): number {
  const { nano } = parseQuantity(value);
  return Number(nano / nanosPerUnit) + Number(nano % nanosPerUnit) / 1e9;
}

/** @param value whole units @default format 'decimalSI' */
export function quantityOf(value: number, format: QuantityFormat = 'decimalSI'): string {
  return formatQuantity({ nano: BigInt(value) * nanosPerUnit, format });
}

/** @param value thousandths */
export function quantityOfMilli(value: number, format: QuantityFormat = 'decimalSI'): string {
  return formatQuantity({ nano: BigInt(value) * 1_000_000n, format });
}

/** The sum, in the format of the first one that is not zero. @throws QuantityFormatError */
export function addQuantities(a: string | number, b: string | number): string {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  return formatQuantity({ nano: left.nano + right.nano, format: left.nano === 0n ? right.format : left.format });
}

/** The difference, which may be negative. @throws QuantityFormatError */
export function subtractQuantities(a: string | number, b: string | number): string {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  return formatQuantity({ nano: left.nano - right.nano, format: left.nano === 0n ? right.format : left.format });
}

/** Negative, zero or positive as `a` is less than, equal to or greater than `b`. @throws QuantityFormatError */
export function compareQuantities(a: string | number, b: string | number): number {
  const left = parseQuantity(a).nano;
  const right = parseQuantity(b).nano;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Division that rounds away from zero, as upstream: whoever got a part of a unit gets all of it. */
function divideUp(value: bigint, by: bigint): bigint {
  const rest = value % by;
  if (rest === 0n) return value / by;
  return value / by + (value < 0n ? -1n : 1n);
}
