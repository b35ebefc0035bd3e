import { loadYamlDocuments } from '@wherry/client';
import { describe, expect, it } from 'vitest';
import { toYaml } from './yaml.ts';

/** Texts and how kubectl 1.32 wrote them, tried on an annotation. */
const scalars: readonly (readonly [string, string])[] = [
  ['plain', 'plain'],
  ['', '""'],
  ['true', '"true"'],
  ['yes', '"yes"'],
  ['n', '"n"'],
  ['~', '"~"'],
  ['null', '"null"'],
  ['1e3', '"1e3"'],
  ['0x1f', '"0x1f"'],
  ['0o17', '"0o17"'],
  ['017', '"017"'],
  ['089', '"089"'],
  ['1_000', '"1_000"'],
  ['+1', '"+1"'],
  ['.5', '".5"'],
  ['.inf', '".inf"'],
  ['1:30', '"1:30"'],
  ['2024-01-01', '"2024-01-01"'],
  ['2026-11-21T01:23:12Z', '"2026-11-21T01:23:12Z"'],
  ['*star', "'*star'"],
  ['- dash', "'- dash'"],
  ['-', "'-'"],
  ['a: b', "'a: b'"],
  ['key:', "'key:'"],
  ['#c', "'#c'"],
  ['a #c', "'a #c'"],
  ["'s'", "'''s'''"],
  ['"quoted"', '\'"quoted"\''],
  [' lead', "' lead'"],
  ['[x]', "'[x]'"],
  ['%p', "'%p'"],
  ['@at', "'@at'"],
  ['...', "'...'"],
  ['? q', "'? q'"],
  ['?q', '?q'],
  ['a, b', 'a, b'],
  ['=', '='],
  ['<<', '<<'],
  ['ümlaut', 'ümlaut'],
  ['😀', '"\\U0001F600"'],
  ['tab\there', '"tab\\there"'],
  ['trail \nx ', '"trail \\nx "'],
];

describe('toYaml', () => {
  it.each(scalars)('writes %j as %s', (text, written) => expect(toYaml({ key: text })).toBe(`key: ${written}\n`));

  it.each(scalars.map(([text]) => text))('is read back as %j', (text) => {
    expect(loadYamlDocuments(toYaml({ [`k${text}`]: text, list: [text] }))).toEqual([
      { [`k${text}`]: text, list: [text] },
    ]);
  });

  it.each([
    ['multi\nline\n', 'key: |\n  multi\n  line\n'],
    ['multi\n line', 'key: |-\n  multi\n   line\n'],
    ['\nlead', 'key: |2-\n\n  lead\n'],
    ['a\n\nb\n\n', 'key: |+\n  a\n\n  b\n\n'],
  ])('writes %j as a block', (text, written) => expect(toYaml({ key: text })).toBe(written));

  it('sorts keys, keeps lists at their map’s column, and empties on one line', () => {
    const value = { b: [{ z: 1, a: [true, null] }, []], a10: {}, a2: 1.5, y: 'x' };
    expect(toYaml(value)).toBe('a2: 1.5\na10: {}\nb:\n- a:\n  - true\n  - null\n  z: 1\n- []\n"y": x\n');
  });

  it('folds long lines at a blank, also within quotes', () => {
    const words = 'word '.repeat(30).trim();
    const folded = `key: ${'word '.repeat(16)}`.trimEnd();
    expect(toYaml({ key: words })).toMatch(new RegExp(`^${folded}\n  word`));
    for (const text of [words, `it's: ${words}`, `tab\t${words}`]) {
      expect(loadYamlDocuments(toYaml({ key: text }))).toEqual([{ key: text }]);
    }
  });
});
