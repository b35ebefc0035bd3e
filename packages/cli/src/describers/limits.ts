import type { LimitRange, ResourceQuota } from '@wherry/api';
import { type Describer, describeName } from './describer.ts';

export const limitHeading = [
  'Type',
  'Resource',
  'Min',
  'Max',
  'Default Request',
  'Default Limit',
  'Max Limit/Request Ratio',
];

/** A row for each resource that a range limits. */
export function limitRows(ranges: readonly LimitRange[]): readonly (readonly string[])[] {
  return ranges
    .flatMap(({ spec }) => spec?.limits ?? [])
    .flatMap(({ type, min, max, default: limit, defaultRequest, maxLimitRequestRatio }) => {
      const lists = [min, max, defaultRequest, limit, maxLimitRequestRatio];
      const names = new Set(lists.flatMap((list) => Object.keys(list ?? {})));
      return [...names].sort().map((name) => [type, name, ...lists.map((list) => list?.[name] ?? '-')]);
    });
}

export const describeLimitRange: Describer<LimitRange> = (range, outline) => {
  describeName(outline, range).rows(limitHeading, limitRows([range]));
};

export const describeQuota: Describer<ResourceQuota> = (quota, outline) => {
  describeName(outline, quota);
  const scopes = quota.spec?.scopes ?? [];
  if (scopes.length > 0) outline.field('Scopes', scopes.join(', '));
  const { hard = {}, used = {} } = quota.status ?? {};
  const names = Object.keys(hard).sort();
  outline.row('Resource', 'Used', 'Hard').row('--------', '----', '----');
  for (const name of names) outline.row(name, used[name] ?? '0', hard[name] ?? '');
};
