import { describe, expect, test } from 'vitest';
import { inAscii } from './lean.ts';

const ascii = (text: string): string => Buffer.from(inAscii(Buffer.from(text))).toString('latin1');

describe('inAscii', () => {
  test('leaves ASCII alone, the very same bytes', () => {
    const program = Buffer.from('const a = "\\\\";\n');
    expect(inAscii(program)).toBe(program);
  });

  test.each([
    ['// it’s', '// it\\u2019s'],
    ['/(us|µs)/', '/(us|\\u00b5s)/'],
    ['/[😀]/u', '/[\\ud83d\\ude00]/u'],
    // A backslash that escapes nothing, one that is escaped itself, and both.
    ['/\\µ/', '/\\u00b5/'],
    ['/\\\\µ/', '/\\\\\\u00b5/'],
    ['/\\\\\\µ/', '/\\\\\\u00b5/'],
  ])('%s', (program, expected) => expect(ascii(program)).toBe(expected));

  test('means the same', () => {
    const program = "[/^(us|µs|\\\\é)$/.test('µs'), /^[😀]$/u.test('😀'), `é😀`.length]";
    // biome-ignore lint/security/noGlobalEval: what is compared is what the engine makes of both
    expect(eval(ascii(program))).toEqual(eval(program));
  });
});
