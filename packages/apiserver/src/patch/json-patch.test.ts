import { describe, expect, it } from 'vitest';
import type { Json, PatchError } from './json.ts';
import { applyJsonPatch, JSON_PATCH_OPERATIONS_MAX } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';

const document: Json = { a: { b: [1, 2, 3] }, 'x/y': 1, 'm~n': 2 };

describe('applyJsonPatch', () => {
  it.each<[string, Json, Json]>([
    ['adds a member', [{ op: 'add', path: '/c', value: 1 }], { ...document, c: 1 }],
    ['inserts before an index', [{ op: 'add', path: '/a/b/1', value: 9 }], { ...document, a: { b: [1, 9, 2, 3] } }],
    ['appends with a dash', [{ op: 'add', path: '/a/b/-', value: 4 }], { ...document, a: { b: [1, 2, 3, 4] } }],
    ['removes', [{ op: 'remove', path: '/a/b/0' }], { ...document, a: { b: [2, 3] } }],
    ['replaces an escaped name', [{ op: 'replace', path: '/x~1y', value: 5 }], { ...document, 'x/y': 5 }],
    ['moves', [{ op: 'move', from: '/m~0n', path: '/z' }], { a: { b: [1, 2, 3] }, 'x/y': 1, z: 2 }],
    ['copies', [{ op: 'copy', from: '/a/b', path: '/c' }], { ...document, c: [1, 2, 3] }],
    [
      'passes a test and goes on',
      [
        { op: 'test', path: '/a/b/0', value: 1 },
        { op: 'remove', path: '/a' },
      ],
      { 'x/y': 1, 'm~n': 2 },
    ],
    ['replaces the whole document', [{ op: 'replace', path: '', value: [] }], []],
  ])('%s', (_name, patch, expected) => {
    expect(applyJsonPatch(document, patch)).toEqual(expected);
  });

  it.each<[string, Json, PatchError['kind']]>([
    ['a failing test', [{ op: 'test', path: '/a/b/0', value: 2 }], 'unprocessable'],
    ['a missing member', [{ op: 'remove', path: '/nope' }], 'unprocessable'],
    ['an index out of range', [{ op: 'add', path: '/a/b/9', value: 1 }], 'unprocessable'],
    ['a pointer without a slash', [{ op: 'add', path: 'a', value: 1 }], 'unprocessable'],
    ['an unknown operation', [{ op: 'frob', path: '/a' }], 'malformed'],
    ['something that is no list', { op: 'add' }, 'malformed'],
    [
      'too many operations',
      Array.from({ length: JSON_PATCH_OPERATIONS_MAX + 1 }, () => ({ op: 'test', path: '' })),
      'tooLarge',
    ],
  ])('refuses %s', (_name, patch, kind) => {
    expect(() => applyJsonPatch(document, patch)).toThrow(expect.objectContaining({ kind }));
  });

  it('leaves the document as it was', () => {
    const before = JSON.stringify(document);
    applyJsonPatch(document, [
      { op: 'remove', path: '/a/b/0' },
      { op: 'add', path: '/q', value: 1 },
    ]);
    expect(JSON.stringify(document)).toBe(before);
  });
});

describe('applyMergePatch', () => {
  it.each<[string, Json, Json, Json]>([
    ['merges and removes', { a: 'b', c: { d: 'e', f: 'g' } }, { a: 'z', c: { f: null } }, { a: 'z', c: { d: 'e' } }],
    ['replaces lists', { a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    ['drops nulls of what it adds', {}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    ['replaces a non-object', ['a'], { b: 1 }, { b: 1 }],
  ])('%s', (_name, target, patch, expected) => {
    expect(applyMergePatch(target, patch)).toEqual(expected);
  });

  it('keeps a field named __proto__ a field', () => {
    const patched = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}') as Json);
    expect(Object.getPrototypeOf(patched)).toBe(Object.prototype);
    expect(Object.hasOwn(patched as object, '__proto__')).toBe(true);
  });
});
