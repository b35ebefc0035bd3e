import type { Table } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { type TableOptions, tableCells } from './table.ts';

const table: Table = {
  columnDefinitions: [
    { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
    { name: 'Ready', type: 'string', format: '', description: '', priority: 0 },
    { name: 'IP', type: 'string', format: '', description: '', priority: 1 },
  ],
  metadata: {},
  rows: [
    {
      cells: ['web', 3, 'a\nb'],
      object: { metadata: { name: 'web', namespace: 'shop', labels: { tier: 'front', app: 'web' } } },
    },
    { cells: ['db', null, '10.0.0.2'], object: { metadata: { name: 'db', namespace: 'shop' } } },
  ],
} as unknown as Table;
const plain: TableOptions = { wide: false, namePrefix: '', namespaces: false, showLabels: false, labelColumns: [] };

describe('tableCells', () => {
  it.each<[string, Partial<TableOptions>, readonly (readonly string[])[]]>([
    [
      'plain',
      {},
      [
        ['NAME', 'READY'],
        ['web', '3'],
        ['db', ''],
      ],
    ],
    [
      'wide',
      { wide: true },
      [
        ['NAME', 'READY', 'IP'],
        ['web', '3', 'a\\nb'],
        ['db', '', '10.0.0.2'],
      ],
    ],
    [
      'with namespaces',
      { namespaces: true },
      [
        ['NAMESPACE', 'NAME', 'READY'],
        ['shop', 'web', '3'],
        ['shop', 'db', ''],
      ],
    ],
    [
      'with a prefix',
      { namePrefix: 'pod/' },
      [
        ['NAME', 'READY'],
        ['pod/web', '3'],
        ['pod/db', ''],
      ],
    ],
    [
      'with labels, sorted',
      { showLabels: true },
      [
        ['NAME', 'READY', 'LABELS'],
        ['web', '3', 'app=web,tier=front'],
        ['db', '', '<none>'],
      ],
    ],
    [
      'with a label column named by the end of its key',
      { labelColumns: ['example.com/tier', 'app'] },
      [
        ['NAME', 'READY', 'TIER', 'APP'],
        ['web', '3', '', 'web'],
        ['db', '', '', ''],
      ],
    ],
  ])('%s', (_, options, cells) => expect(tableCells(table, { ...plain, ...options })).toEqual(cells));
});
