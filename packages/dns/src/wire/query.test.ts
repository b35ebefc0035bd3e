import { describe, expect, it } from 'vitest';
import { opt, question } from '../testing/ask.ts';
import { parseQuery, RCODE } from './query.ts';

/** A request with one two-byte field of its header changed. */
function changed(offset: number, value: number, bytes = question('A', 'web.shop')): Buffer {
  bytes.writeUInt16BE(value, offset);
  return bytes;
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

const HEADER = '1267 0100 0001 0000 0000 0000';

describe('parseQuery', () => {
  it.each<[string, Buffer, string]>([
    ['an ordinary question', question('A', 'Web.Shop'), 'query web.shop 1'],
    ['the root', hex(`${HEADER} 00 0002 0001`), 'query  2'],
    ['a type nobody knows', hex(`${HEADER} 00 fde8 0001`), 'query  65000'],
    ['a message shorter than a header', hex('1267 0100 0001'), 'ignored'],
    ['a response', changed(2, 0x8100), 'ignored'],
    ['a notification', changed(2, 0x2000), `refused ${RCODE.NOTIMP}`],
    ['no question', hex('1267 0100 0000 0000 0000 0000'), `refused ${RCODE.FORMERR}`],
    ['two questions', changed(4, 2), `refused ${RCODE.FORMERR}`],
    ['a name that ends too early', hex(`${HEADER} 03 7765`), `refused ${RCODE.FORMERR}`],
    ['a label that is too long', hex(`${HEADER} 40 ${'61'.repeat(64)} 00 0001 0001`), `refused ${RCODE.FORMERR}`],
    [
      'a name that is too long',
      hex(`${HEADER} ${`3f${'61'.repeat(63)}`.repeat(4)} 00 0001 0001`),
      `refused ${RCODE.FORMERR}`,
    ],
    ['a question that points', hex(`${HEADER} c00c 0001 0001`), `refused ${RCODE.FORMERR}`],
    ['records that are not there', changed(10, 1), `refused ${RCODE.FORMERR}`],
    ['two EDNS0 records', question('A', 'a', { additionals: [opt(1232), opt(1232)] }), `refused ${RCODE.FORMERR}`],
    ['another version of EDNS', question('A', 'a', { additionals: [opt(1232, 1)] }), `refused ${RCODE.BADVERS}`],
    ['another class', hex(`${HEADER} 00 0010 0003`), `refused ${RCODE.REFUSED}`],
    ['a zone transfer', question('AXFR', 'cluster.local'), `refused ${RCODE.REFUSED}`],
  ])('%s', (_, bytes, expected) => {
    const parsed = parseQuery(bytes);
    const text =
      parsed.kind === 'query'
        ? `query ${parsed.query.name.join('.')} ${parsed.query.type}`
        : parsed.kind === 'refused'
          ? `refused ${parsed.rcode}`
          : parsed.kind;
    expect(text).toBe(expected);
  });

  it('survives any bytes', () => {
    const whole = question('A', 'web.shop', { additionals: [opt(1232)] });
    for (let length = 0; length < whole.length; length++)
      expect(() => parseQuery(whole.subarray(0, length))).not.toThrow();
    for (let offset = 0; offset < whole.length; offset++) {
      for (const value of [0, 0x3f, 0x40, 0xc0, 0xff]) {
        const bytes = Buffer.from(whole);
        bytes[offset] = value;
        expect(() => parseQuery(bytes)).not.toThrow();
      }
    }
  });
});
