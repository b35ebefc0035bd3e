import { type ApiObject, objectKey, parseQuantity } from '@wherry/api';
import { byBytes } from './go-json.ts';
import { valuesAt, valueText } from './json-path.ts';

/** Sorts by what a JSONPath finds in each item's object; numbers and quantities by their size. */
export function sortBy<T>(items: T[], path: string, objectOf: (item: T) => unknown): void {
  const value = (item: T) => valuesAt(path, objectOf(item))[0];
  items.sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === undefined || right === undefined) return Number(left !== undefined) - Number(right !== undefined);
    const order = compare(left, right);
    return order !== 0 ? order : byBytes(objectKey(objectOf(a) as ApiObject), objectKey(objectOf(b) as ApiObject));
  });
}

const quantity = /^[+-]?\d+(\.\d+)?([numkMGTPE]|[KMGTPE]i)?$/;

function compare(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const [one, other] = [valueText(left), valueText(right)];
  if (quantity.test(one) && quantity.test(other)) {
    const [a, b] = [parseQuantity(one).nano, parseQuantity(other).nano];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return byBytes(one, other);
}
