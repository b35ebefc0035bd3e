import { describe, expect, it } from 'vitest';
import { migrationPatch } from './migrate.ts';

const entry = (manager: string, operation: string, fieldsV1: Record<string, unknown>) => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1,
});
const other = entry('x', 'Update', { 'f:status': {} });

describe('migrationPatch', () => {
  it.each([
    ['turns the client’s entry into the server’s', [other, entry('csa', 'Update', { 'f:a': {} })], { 'f:a': {} }],
    [
      'adds it to one that is there',
      [
        entry('ssa', 'Apply', { 'f:a': {}, 'f:c': { 'f:d': {} } }),
        entry('csa', 'Update', { 'f:a': { 'f:b': {} }, 'f:c': {} }),
        other,
      ],
      { 'f:a': { '.': {}, 'f:b': {} }, 'f:c': { '.': {}, 'f:d': {} } },
    ],
  ])('%s', (_name, managedFields, fieldsV1) => {
    const patch = migrationPatch({ metadata: { resourceVersion: '7', managedFields } }, 'csa', 'ssa');
    expect(patch).toEqual([
      { op: 'replace', path: '/metadata/managedFields', value: [other, entry('ssa', 'Apply', fieldsV1)] },
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
    ]);
  });

  it('does nothing where nothing was applied by the client', () => {
    expect(migrationPatch({ metadata: { managedFields: [other] } }, 'csa', 'ssa')).toBeUndefined();
  });
});
