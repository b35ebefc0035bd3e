import { describe, expect, it } from 'vitest';
import { alignColumns, ColumnAligner } from './columns.ts';

describe('alignColumns', () => {
  it('leaves three blanks after the widest cell, and nothing after the last', () => {
    expect(
      alignColumns([
        ['NAME', 'STATUS', 'AGE'],
        ['web-1-long', 'Running', '5s'],
      ]),
    ).toEqual(['NAME         STATUS    AGE', 'web-1-long   Running   5s']);
  });

  it('makes no column narrower than six', () => {
    expect(alignColumns([['A', 'B']])).toEqual(['A     B']);
  });

  it('keeps the room of columns before an empty last cell', () => {
    expect(
      alignColumns([
        ['NAME', 'APP'],
        ['a', ''],
      ]),
    ).toEqual(['NAME   APP', 'a      ']);
  });

  it('takes rows of different lengths', () => {
    expect(alignColumns([['a'], ['b', 'c']])).toEqual(['a', 'b     c']);
  });
});

describe('ColumnAligner', () => {
  it('remembers widths from one row to the next', () => {
    const aligner = new ColumnAligner();
    aligner.align([['a-rather-long-name', 'x']]);
    expect(aligner.align([['b', 'y']])).toEqual([`${'b'.padEnd(21)}y`]);
  });
});
