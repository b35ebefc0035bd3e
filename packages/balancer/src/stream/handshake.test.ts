import { expect, it } from 'vitest';
import { isHandshake } from './handshake.ts';

const record = (type: number, length: number) => [type, 3, 1, length >> 8, length & 0xff, ...Array(length).fill(23)];

it.each<[string, number[], boolean]>([
  ['nothing', [], true],
  ['a handshake record', record(22, 300), true],
  ['two', [...record(22, 300), ...record(22, 4)], true],
  ['the beginning of one', record(22, 300).slice(0, 3), true],
  ['early application data after one', [...record(22, 300), ...record(23, 10)], false],
  ['something else', [...Buffer.from('GET / HTTP/1.1')], false],
])('recognises %s', (_name, bytes, expected) => expect(isHandshake(Uint8Array.from(bytes))).toBe(expected));
