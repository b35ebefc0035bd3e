import { describe, expect, it } from 'vitest';
import {
  difference,
  type FieldSet,
  has,
  intersection,
  leaf,
  pathsOf,
  readFieldSet,
  recursiveDifference,
  setOf,
  union,
} from './field-set.ts';
import { textOfSet } from './owned-fields.ts';
import { compareElements, elementText, pathText } from './path-element.ts';

const set = (text: string): FieldSet => readFieldSet(JSON.parse(text));

describe('steps', () => {
  it('are ordered as upstream orders them: fields, keys, values, positions, numbers by value', () => {
    const ordered = [
      '.',
      'f:a',
      'f:b',
      'f:\uffff',
      'f:\u{1f600}',
      'k:{"name":"a"}',
      'k:{"port":80,"protocol":"TCP"}',
      'k:{"port":443,"protocol":"TCP"}',
      'k:{"port":443,"protocol":"UDP"}',
      'v:2',
      'v:10',
      'v:"a"',
      'v:true',
      'i:2',
      'i:10',
    ];
    expect([...ordered].reverse().sort(compareElements)).toEqual(ordered);
  });

  it('are shown to people', () => {
    expect(pathText(['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name'])).toBe(
      '.spec.ports[port=80,protocol="TCP"].name',
    );
    expect(['v:"a"', 'v:1', 'i:3'].map(elementText)).toEqual(['[="a"]', '[=1]', '[3]']);
  });
});

describe('sets', () => {
  it.each([
    '{"f:aaa":{},"f:aab":{},"k:{\\"name\\":\\"first\\"}":{},"k:{\\"port\\":443,\\"protocol\\":\\"tcp\\"}":{},"v:1":{},"v:\\"aa\\"":{},"v:true":{},"i:1":{}}',
    '{"f:a":{".":{},"f:b":{},"k:{\\"name\\":\\"x\\"}":{".":{},"f:c":{}}}}',
    '{}',
  ])('are written as they were read: %s', (text) => {
    expect(textOfSet(set(text))).toBe(text);
  });

  it.each([
    ['{"f:b":{},"f:a":{}}', '{"f:a":{},"f:b":{}}'],
    ['{"k:{\\"b\\":1,\\"a\\":2}":{}}', '{"k:{\\"a\\":2,\\"b\\":1}":{}}'],
    ['{"f:a":{},"x:unknown":{"f:b":{}}}', '{"f:a":{}}'],
    ['{"v:\\"<\\"":{}}', '{"v:\\"\\\\u003c\\"":{}}'],
    ['{"f:a":{"f:b":{},".":{}}}', '{"f:a":{".":{},"f:b":{}}}'],
  ])('that others wrote become canonical: %s', (given, canonical) => {
    expect(textOfSet(set(given))).toBe(canonical);
  });

  it.each(['{"a":{}}', '{"fa":{}}', '{"i:x":{}}', '{"k:nonsense":{}}', '{"f:a":1}'])('refuse %s', (text) => {
    expect(() => set(text)).toThrow();
  });

  const a = '{"f:a":{}}';
  const ab = '{"f:a":{"f:b":{}}}';
  const both = '{"f:a":{".":{},"f:b":{}}}';
  it.each<readonly [string, (left: FieldSet, right: FieldSet) => FieldSet, string, string, string]>([
    ['union', union, a, ab, both],
    ['union', union, ab, '{"f:a":{"f:c":{}},"f:0":{}}', '{"f:0":{},"f:a":{"f:b":{},"f:c":{}}}'],
    ['union', union, '{}', both, both],
    ['difference', difference, both, a, ab],
    ['difference', difference, both, ab, a],
    ['difference', difference, both, both, '{}'],
    ['difference', difference, a, ab, a],
    ['difference', difference, ab, a, ab],
    ['recursive difference', recursiveDifference, both, a, '{}'],
    ['recursive difference', recursiveDifference, ab, a, '{}'],
    ['recursive difference', recursiveDifference, both, ab, a],
    ['intersection', intersection, both, ab, ab],
    ['intersection', intersection, a, ab, '{}'],
    ['intersection', intersection, both, a, a],
  ])('%s', (_name, operation, left, right, expected) => {
    expect(textOfSet(operation(set(left), set(right)))).toBe(expected);
  });

  it('share what does not change', () => {
    const left = set(both);
    expect(union(left, set(ab))).toBe(left);
    expect(difference(left, set('{"f:x":{}}'))).toBe(left);
    expect(union(left, leaf)).toBe(left);
  });

  it('list and find their members', () => {
    const paths = [['f:a'], ['f:a', 'f:b']];
    expect([...pathsOf(set(both))]).toEqual(paths);
    expect(setOf(...paths)).toEqual(set(both));
    expect([has(set(both), ['f:a']), has(set(ab), ['f:a']), has(set(ab), ['f:a', 'f:b']), has(set(a), [])]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});
