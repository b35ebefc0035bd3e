import { expect, it } from 'vitest';
import { warningsOf } from './warnings.ts';

it.each([
  [undefined, []],
  ['299 - "old"', ['old']],
  ['299 - "a \\"b\\"", 299 - "c"', ['a "b"', 'c']],
  [
    ['299 - "a"', '299 x "b"'],
    ['a', 'b'],
  ],
])('%j', (header, warnings) => expect(warningsOf(header)).toEqual(warnings));
