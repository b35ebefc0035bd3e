// Sums of resources by name, exact, as quotas keep them.
import { formatQuantity, parseQuantity, type Quantity } from '../quantity/quantity.ts';

export type QuotaAmounts = ReadonlyMap<string, Quantity>;

const decimal = (units: bigint): Quantity => ({ nano: units * 1_000_000_000n, format: 'decimalSI' });

export const oneItem: Quantity = decimal(1n);
export const noItems: Quantity = decimal(0n);

export function itemCount(count: number): Quantity {
  return decimal(BigInt(count));
}

/** @throws QuantityFormatError */
export function parseAmounts(texts: Readonly<Record<string, string>> | undefined): Map<string, Quantity> {
  return new Map(Object.entries(texts ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}

/** In the order of the names, as upstream writes maps. */
export function formatAmounts(amounts: QuotaAmounts): Record<string, string> {
  return Object.fromEntries([...amounts].sort(byName).map(([name, amount]) => [name, formatQuantity(amount)]));
}

/** `cpu=1,pods=2`, as messages show amounts. */
export function amountsText(amounts: QuotaAmounts): string {
  return [...amounts]
    .sort(byName)
    .map(([name, amount]) => `${name}=${formatQuantity(amount)}`)
    .join(',');
}

/** The sum; names of either side. The format of the left side stays where it has an amount. */
export function addAmounts(left: QuotaAmounts, right: QuotaAmounts): Map<string, Quantity> {
  const sum = new Map(left);
  for (const [name, more] of right) {
    const known = sum.get(name);
    sum.set(name, known === undefined ? more : added(known, more));
  }
  return sum;
}

function added(left: Quantity, right: Quantity): Quantity {
  return { nano: left.nano + right.nano, format: left.nano === 0n ? right.format : left.format };
}

/** `left` less `right`, nothing below zero; names that only `right` has are zero. */
export function subtractAmounts(left: QuotaAmounts, right: QuotaAmounts): Map<string, Quantity> {
  const rest = new Map<string, Quantity>();
  for (const [name, amount] of left) {
    const nano = amount.nano - (right.get(name)?.nano ?? 0n);
    rest.set(name, { ...amount, nano: nano < 0n ? 0n : nano });
  }
  for (const [name, amount] of right) {
    if (!left.has(name)) rest.set(name, { ...amount, nano: 0n });
  }
  return rest;
}

/** Only the given names. */
export function maskAmounts(amounts: QuotaAmounts, names: Iterable<string>): Map<string, Quantity> {
  const masked = new Map<string, Quantity>();
  for (const name of names) {
    const amount = amounts.get(name);
    if (amount !== undefined) masked.set(name, amount);
  }
  return masked;
}

export function withoutZeros(amounts: QuotaAmounts): Map<string, Quantity> {
  return new Map([...amounts].filter(([, { nano }]) => nano !== 0n));
}

export function equalAmounts(left: QuotaAmounts, right: QuotaAmounts): boolean {
  return left.size === right.size && [...left].every(([name, { nano }]) => right.get(name)?.nano === nano);
}

/** Names of which there is more than `limits` allows; what is not limited never is. */
export function exceededNames(amounts: QuotaAmounts, limits: QuotaAmounts): readonly string[] {
  return [...amounts].flatMap(([name, { nano }]) => {
    const limit = limits.get(name);
    return limit !== undefined && nano > limit.nano ? [name] : [];
  });
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
