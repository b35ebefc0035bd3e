import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, MalformedBytes, varintLength } from './bytes.ts';

describe('ByteWriter and ByteReader', () => {
  it('give back every safe integer, negative ones too', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const writer = new ByteWriter(1);
        writer.varint(value);
        const bytes = writer.finish();
        expect(bytes.length).toBe(varintLength(value));
        const reader = new ByteReader(bytes);
        expect(reader.varint()).toBe(value);
        expect(reader.done).toBe(true);
      }),
    );
  });

  it('give back every integer of 64 bits as wide ones, numbers where these are exact', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const safe = Number.isSafeInteger(Number(value));
        const writer = new ByteWriter(1);
        writer.wide(safe ? Number(value) : value);
        const bytes = writer.finish();
        expect(bytes.length).toBe(varintLength(value));
        expect(new ByteReader(bytes).wide()).toBe(safe ? Number(value) : value);
      }),
    );
  });

  it('refuse to take a wide integer for a number, unless its end will do', () => {
    const writer = new ByteWriter();
    writer.wide(2n ** 63n - 1n);
    writer.wide(-(2n ** 63n));
    expect(() => new ByteReader(writer.finish()).varint()).toThrow(MalformedBytes);
    const reader = new ByteReader(writer.finish());
    expect([reader.varint(true), reader.varint(true)]).toEqual([Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]);
  });

  it.each([0, 1, 127, 128, 16_383, 16_384])('size a part of %i bytes afterwards', (size) => {
    const writer = new ByteWriter(4);
    const start = writer.beginSized();
    writer.bytes(Buffer.alloc(size, 7));
    writer.endSized(start);
    writer.u8(9);
    const reader = new ByteReader(writer.finish());
    expect(reader.sizedBytes()).toEqual(Buffer.alloc(size, 7));
    expect(reader.u8()).toBe(9);
  });

  it('refuse to read past the end or a size beyond what is there', () => {
    expect(() => new ByteReader(Buffer.from([1])).u32()).toThrow(MalformedBytes);
    expect(() => new ByteReader(Buffer.from([200, 1, 0])).sizedBytes()).toThrow(MalformedBytes);
    expect(() => new ByteReader(Buffer.alloc(11, 0xff)).varint()).toThrow(MalformedBytes);
  });
});
