import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedBytes } from '../schema/bytes.ts';
import { MessageReader, RefusedMessage } from './messages.ts';
import { encodeMessage, parseTimeout, statusOf } from './status.ts';
import { fragments } from './watch-service.ts';

function framed(payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

describe('MessageReader', () => {
  it('finds the same messages however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 })),
        fc.array(fc.integer({ min: 1, max: 20 })),
        (all, cuts) => {
          const bytes = Buffer.concat(all.map(framed));
          const reader = new MessageReader(100);
          const found: Buffer[] = [];
          let at = 0;
          for (const cut of [...cuts, bytes.length + 1]) {
            reader.push(bytes.subarray(at, at + cut), (message) => found.push(Buffer.from(message)));
            at += cut;
          }
          expect(found).toEqual(all.map((each) => Buffer.from(each)));
          expect(reader.heldBytes).toBe(0);
        },
      ),
    );
  });

  it('refuses what is compressed, too large, or no message', () => {
    const push = (bytes: Buffer) => () => new MessageReader(10).push(bytes, () => undefined);
    expect(push(Buffer.from([1, 0, 0, 0, 1, 0]))).toThrow(RefusedMessage);
    expect(push(framed(Buffer.alloc(11)))).toThrow('grpc: received message larger than max (11 vs. 10)');
    expect(push(Buffer.from([7, 0, 0, 0, 1, 0]))).toThrow(MalformedBytes);
  });
});

describe('a status', () => {
  it.each([
    ['plain text: 1 < 2', 'plain text: 1 < 2'],
    ['100%', '100%25'],
    ['Zeile\nä', 'Zeile%0A%C3%A4'],
  ])('message %j travels as %j', (message, encoded) => {
    expect(encodeMessage(message)).toBe(encoded);
    expect(decodeURIComponent(encoded)).toBe(message);
  });

  it("says etcd's words and nothing more, for clients know errors by them", () => {
    expect(statusOf({ refused: 'compacted', compactRevision: 5 })).toEqual({
      code: 11,
      message: 'etcdserver: mvcc: required revision has been compacted',
    });
    expect(statusOf({ refused: 'tooManyOps', detail: 'nested' }).message).toBe(
      'etcdserver: too many operations in txn request',
    );
  });

  it.each([
    ['5S', 5000],
    ['4999992u', 5000],
    ['1n', 1],
    ['2M', 120_000],
    ['1H', 3_600_000],
    ['100000000S', undefined],
    ['5', undefined],
    ['-1S', undefined],
  ])('timeout %s is %s ms', (text, ms) => {
    expect(parseTimeout(text)).toBe(ms);
  });
});

describe('fragments', () => {
  const event = (size: number) => ({ kind: 'put', kv: { key: Buffer.from('k'), value: Buffer.alloc(size) } }) as never;

  it('keep every event, in order, in parts that are not much larger than allowed', () => {
    const events = [10, 2000, 10, 900, 10].map(event);
    const parts = fragments(events, 1000);
    expect(parts.flat()).toEqual(events);
    expect(parts.map((part) => part.length)).toEqual([1, 1, 2, 1]);
    expect(fragments([])).toEqual([[]]);
  });
});
