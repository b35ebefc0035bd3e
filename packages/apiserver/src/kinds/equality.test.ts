import { expect, test } from 'vitest';
import { describeDifference, sameValue } from './equality.ts';

test.each([
  [{ a: 1 }, { a: 1 }, true],
  [{ a: 1 }, { a: 2 }, false],
  [{ a: [] }, {}, true],
  [{ a: null }, {}, true],
  [{ a: {} }, {}, false],
  [{ labels: {} }, {}, true],
  [{ hostNetwork: false }, {}, true],
  [{ automountServiceAccountToken: false }, {}, false],
  [{ limits: { cpu: '1' } }, { limits: { cpu: '1000m' } }, true],
  [{ limits: { cpu: '1' } }, { limits: { cpu: '2' } }, false],
  [{ env: [{ name: 'a', value: '1' }] }, { env: [{ name: 'a', value: '1000m' }] }, false],
  [[1, 2], [2, 1], false],
])('%j and %j: %s', (left, right, expected) => {
  expect(sameValue(left, right)).toBe(expected);
  expect(sameValue(right, left)).toBe(expected);
});

test('differences by path', () => {
  const before = { a: { b: [1, 2] }, c: 'x' };
  const after = { a: { b: [1, 3] }, d: true };
  expect(describeDifference(before, after)).toBe('a.b[1]: 2 -> 3\nc: "x" -> (none)\nd: (none) -> true');
});
