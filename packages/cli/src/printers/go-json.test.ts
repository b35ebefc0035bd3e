import { expect, it } from 'vitest';
import { goJson } from './go-json.ts';

it('sorts keys and escapes as Go does', () => {
  expect(goJson({ b: { z: 1, a: ['<', '>&'] }, a: '\u2028' })).toBe(
    '{"a":"\\u2028","b":{"a":["\\u003c","\\u003e\\u0026"],"z":1}}',
  );
});

it('indents', () => expect(goJson({ a: [1] }, 4)).toBe('{\n    "a": [\n        1\n    ]\n}'));
