import { expect, it } from 'vitest';
import { canonicalJson, templateHash } from './template-hash.ts';

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'v1' }] } };

it('is stable, whatever the order of keys and however emptiness is written', () => {
  const same = {
    spec: { volumes: [], containers: [{ image: 'v1', name: 'c', env: [] }] },
    metadata: { labels: { a: 'b' }, annotations: {} },
  };
  expect(templateHash(template, undefined)).toBe(templateHash(same, undefined));
  expect(templateHash(template, undefined)).toBe('85b6c44ff5');
});

it('differs by content and by collision', () => {
  const other = { ...template, spec: { containers: [{ name: 'c', image: 'v2' }] } };
  const hashes = [
    templateHash(template, undefined),
    templateHash(template, 1),
    templateHash(template, 2),
    templateHash(other, undefined),
  ];
  expect(new Set(hashes).size).toBe(4);
  expect(hashes.every((hash) => /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/.test(hash))).toBe(true);
});

it('keeps what means something: false, zero and the empty text', () => {
  expect(canonicalJson({ a: false, b: 0, c: '', d: null, e: undefined, f: [] })).toBe('{"a":false,"b":0,"c":""}');
});
