import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedBytes } from '../../schema/bytes.ts';
import { encodeHeaders, type Field, HeaderReader } from './hpack.ts';

const read = (reader: HeaderReader, hex: string) => [...reader.read(Buffer.from(hex.replaceAll(' ', ''), 'hex'))];

/** The examples of RFC 7541, appendix C: three requests on one connection, plain and in Huffman's code. */
describe.each([
  [
    'plain',
    [
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ],
  ],
  [
    "in Huffman's code",
    [
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      '828684be5886a8eb10649cbf',
      '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
    ],
  ],
])('HeaderReader, %s', (_, [first = '', second = '', third = '']) => {
  it('reads what refers to earlier blocks', () => {
    const reader = new HeaderReader();
    const common = (path: string, scheme: string): Field[] => [
      [':method', 'GET'],
      [':scheme', scheme],
      [':path', path],
      [':authority', 'www.example.com'],
    ];
    expect(read(reader, first)).toEqual(common('/', 'http'));
    expect(read(reader, second)).toEqual([...common('/', 'http'), ['cache-control', 'no-cache']]);
    expect(read(reader, third)).toEqual([...common('/index.html', 'https'), ['custom-key', 'custom-value']]);
  });
});

describe('HeaderReader', () => {
  it('forgets the oldest when its table is full, and all when told to', () => {
    const reader = new HeaderReader();
    // Size 96: three fields of one letter each take 34.
    expect(read(reader, '3f41')).toEqual([]);
    read(reader, '4001610131 4001620132 4001630133');
    expect(read(reader, 'be bf')).toEqual([
      ['c', '3'],
      ['b', '2'],
    ]);
    expect(() => read(reader, 'c0')).toThrow(MalformedBytes);
    read(reader, '20');
    expect(() => read(reader, 'be')).toThrow(MalformedBytes);
  });

  it('reads what we write', () => {
    const field = fc.tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ maxLength: 300 }));
    fc.assert(
      fc.property(fc.uniqueArray(field, { selector: ([name]) => name, maxLength: 10 }), (fields) => {
        expect([...new HeaderReader().read(encodeHeaders(fields))]).toEqual(fields);
      }),
    );
  });

  it.each([
    ['an entry that is not there', 'ff80'],
    ['the entry 0', '80'],
    ['a table larger than allowed', '3fe13f00'],
    ['a text that is cut off', '40056162'],
    ['an integer without end', '7fffffffffffff'],
    ['the end mark in a text', '400184ffffffff'],
    ['a text that ends inside a character', '40810000'],
  ])('refuses %s', (_, hex) => {
    expect(() => read(new HeaderReader(), hex)).toThrow(MalformedBytes);
  });

  it('never crashes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 4 }), (blocks) => {
        const reader = new HeaderReader();
        try {
          for (const block of blocks) reader.read(Buffer.from(block));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytes);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
