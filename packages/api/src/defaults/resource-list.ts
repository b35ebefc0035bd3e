// Amounts finer than a thousandth are rounded up, wherever a list of resources stands.
import { milliValue, quantityOfMilli } from '../quantity/quantity.ts';

type ResourceList = Record<string, string>;

export function roundResources(list: ResourceList | undefined): void {
  for (const name in list) {
    const quantity = list[name];
    if (quantity !== undefined && (quantity.endsWith('n') || quantity.endsWith('u'))) {
      list[name] = quantityOfMilli(milliValue(quantity));
    }
  }
}

/** Fills what `list` lacks from `from`. */
export function fillResources(list: ResourceList, from: Readonly<ResourceList> | undefined): void {
  for (const name in from) list[name] ??= from[name] ?? '0';
}
