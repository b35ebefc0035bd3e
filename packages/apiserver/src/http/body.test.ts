import { describe, expect, it } from 'vitest';
import { bodyType, parseBody } from './body.ts';

describe('bodyType', () => {
  it.each([
    [undefined, 'json'],
    ['application/json; charset=utf-8', 'json'],
    ['Application/YAML', 'yaml'],
    ['application/vnd.kubernetes.protobuf', 'protobuf'],
  ] as const)('%s', (contentType, expected) => {
    expect(bodyType(contentType)).toBe(expected);
  });

  it.each(['text/plain', 'application/cbor', 'application/x-www-form-urlencoded'])('refuses %s', (contentType) => {
    expect(() => bodyType(contentType)).toThrow(expect.objectContaining({ code: 415 }));
  });
});

describe('bodyType of a kind without messages', () => {
  it('leaves protobuf out', () => {
    expect(() => bodyType('application/vnd.kubernetes.protobuf', false)).toThrow(
      'accepted media types include: application/json, application/yaml',
    );
  });
});

describe('parseBody', () => {
  const yaml = (text: string) => parseBody(Buffer.from(text), 'yaml');

  it('reads YAML as upstream does', () => {
    expect(yaml('mode: 0644\non: off\nday: 2024-01-01\n')).toEqual({ mode: 420, true: false, day: '2024-01-01' });
    expect(yaml('a: 1\n---\nb: 2\n')).toEqual({ a: 1 });
    expect(yaml('')).toBe(null);
  });

  it('refuses a YAML text that unfolds to more than it says', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level += 1) {
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`);
    }
    expect(() => yaml(lines.join('\n'))).toThrow('document contains excessive aliasing');
  });

  it.each([
    ['json', '{', /^couldn't parse the body as JSON/],
    ['yaml', 'a: [', /^error converting YAML to JSON: yaml: line 1: /],
    ['json', `${'['.repeat(1_500)}${']'.repeat(1_500)}`, /nested deeper than/],
  ] as const)('refuses %s %j', (type, text, message) => {
    expect(() => parseBody(Buffer.from(text), type)).toThrow(message);
  });
});
