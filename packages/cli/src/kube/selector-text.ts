import type { LabelSelector } from '@wherry/api';

/** A selector object, of either form, as the query's text. */
export function selectorText(selector: LabelSelector | Readonly<Record<string, string>> | undefined): string {
  if (selector === undefined) return '';
  if (!isLabelSelector(selector)) return equalities(selector);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [equalities(selector.matchLabels ?? {}), ...expressions].filter((text) => text !== '').join(',');
}

function isLabelSelector(selector: LabelSelector | Readonly<Record<string, string>>): selector is LabelSelector {
  return typeof selector.matchLabels === 'object' || Array.isArray(selector.matchExpressions);
}

function equalities(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
