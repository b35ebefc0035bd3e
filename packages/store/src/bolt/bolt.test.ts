import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedBytes } from '../schema/bytes.ts';
import { PAGE_BYTES } from './pages.ts';
import { BoltFile } from './reader.ts';
import { BoltWriter, type BucketSource } from './writer.ts';

type Item = readonly [Buffer, Buffer];

function source(name: string, items: readonly Item[]): BucketSource {
  return { name, items: () => items, sizes: () => items.map(([key, value]) => [key.length, value.length] as const) };
}

function write(sources: readonly BucketSource[]): Buffer {
  const writer = new BoltWriter(sources);
  for (const _ of writer.measure());
  const bytes = Buffer.concat(Array.from(writer.write(), (chunk) => Buffer.from(chunk)));
  expect(bytes.length).toBe(writer.sizeBytes);
  return bytes;
}

function open(bytes: Buffer): Promise<BoltFile> {
  return BoltFile.open(async (position, length) => bytes.subarray(position, position + length));
}

async function read(bytes: Buffer): Promise<Record<string, string[]>> {
  const file = await open(bytes);
  const all: Record<string, string[]> = {};
  for (const name of file.bucketNames) {
    all[name] = [];
    for await (const [key, value] of file.items(name))
      all[name].push(`${key.toString('hex')}=${value.toString('hex')}`);
  }
  return all;
}

function expected(sources: readonly BucketSource[]): Record<string, string[]> {
  return Object.fromEntries(
    sources.map(({ name, items }) => [
      name,
      [...items()].map(([key, value]) => `${key.toString('hex')}=${value.toString('hex')}`),
    ]),
  );
}

/** Sorted and without doubles, as a bucket's items are. */
const items = (sizeMax: number, countMax: number) =>
  fc
    .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(sizeMax)), { maxLength: countMax })
    .map((pairs) => {
      const byKey = new Map(pairs.map(([key, size]) => [Buffer.from(key).toString('hex'), size]));
      return [...byKey]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, size]): Item => [Buffer.from(key, 'hex'), Buffer.alloc(size, key)]);
    });

const buckets = fc
  .record({ a: items(20, 5), key: items(9000, 60), lease: items(200, 300) })
  .map((all) => Object.entries(all).map(([name, list]) => source(name, list)));

const numbered = (count: number, size: number): Item[] =>
  Array.from({ length: count }, (_, i) => {
    const key = Buffer.alloc(17);
    key.writeUInt32BE(i, 4);
    return [key, Buffer.alloc(size, i & 255)];
  });

describe('a bbolt file', () => {
  it('gives back what was written, small items and items larger than pages', async () => {
    await fc.assert(
      fc.asyncProperty(buckets, async (sources) => {
        expect(await read(write(sources))).toEqual(expected(sources));
      }),
      { numRuns: 60 },
    );
  });

  it('has as many levels as it needs', async () => {
    const sources = [source('key', numbered(30_000, 100))];
    const bytes = write(sources);
    expect(bytes.length).toBeGreaterThan(PAGE_BYTES * 800);
    expect(await read(bytes)).toEqual(expected(sources));
  });

  it('is read even when one of its meta pages is torn', async () => {
    const sources = [source('key', numbered(10, 10))];
    for (const torn of [0, 1]) {
      const bytes = write(sources);
      bytes.fill(0xff, torn * PAGE_BYTES, torn * PAGE_BYTES + 100);
      expect(await read(bytes)).toEqual(expected(sources));
    }
  });

  it('is refused when it is none', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(3 * PAGE_BYTES), Buffer.from('#!/bin/sh')]) {
      await expect(open(bytes)).rejects.toThrow(MalformedBytes);
    }
  });

  it('is refused when it is cut off', async () => {
    const bytes = write([source('key', numbered(300, 100))]);
    for (const pages of [3, 4, 5, 8]) {
      await expect(read(bytes.subarray(0, pages * PAGE_BYTES))).rejects.toThrow(MalformedBytes);
    }
  });

  it('never crashes a reader, nor keeps it for ever, however damaged', async () => {
    const whole = write([source('key', numbered(400, 100)), source('lease', numbered(3, 9))]);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 });
    // Most damage to a file is in its values; what matters to a reader stands at the start of pages.
    const heads = fc.array(fc.tuple(fc.nat(whole.length / PAGE_BYTES - 1), fc.nat(60), fc.nat(255)), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(damage, heads, async (anywhere, inHeads) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of anywhere) bytes[at] = value;
        for (const [page, at, value] of inHeads) bytes[page * PAGE_BYTES + at] = value;
        try {
          await read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytes);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is refused when its pages lead in circles', async () => {
    const bytes = write([source('key', numbered(400, 100))]);
    const pages = bytes.length / PAGE_BYTES;
    // The last page is the root of the bucket: let its first child be itself.
    const root = (pages - 1) * PAGE_BYTES;
    bytes.writeBigUInt64LE(BigInt(pages - 1), root + 16 + 8);
    await expect(read(bytes)).rejects.toThrow(/levels deep|circle/);
  });
});
