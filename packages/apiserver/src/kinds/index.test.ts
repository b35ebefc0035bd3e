import { resourceTable } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { strategyFor } from './index.ts';
import { plainStrategy } from './plain.ts';

/** Kinds for which upstream has no rules of its own either, or whose feature is still to come. */
const plain = new Set([
  'bindings',
  'devicetaintrules',
  'localsubjectaccessreviews',
  'podcertificaterequests',
  'selfsubjectaccessreviews',
  'selfsubjectreviews',
  'selfsubjectrulesreviews',
  'subjectaccessreviews',
  'tokenreviews',
]);

describe.each(
  resourceTable.map((resource) => [`${resource.group}/${resource.version}/${resource.resource}`, resource]),
)('%s', (_name, resource) => {
  const strategy = strategyFor(resource);

  it('has a strategy of its own unless it needs none', () => {
    expect(strategy === plainStrategy).toBe(plain.has(resource.resource));
  });

  it('has rules for its subresources', () => {
    const hasStatus = resource.subresources.some(({ name }) => name === 'status');
    if (hasStatus) expect(strategy.subresources).toHaveProperty('status');
  });

  it('shows columns with names of their own, one of them the name', () => {
    const columns = strategy.columns ?? [];
    const names = columns.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    if (columns.length > 0) expect(columns.some(({ format }) => format === 'name')).toBe(true);
  });
});
