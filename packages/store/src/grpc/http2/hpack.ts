import { MalformedBytes } from '../../schema/bytes.ts';
import { decodeHuffman } from './huffman.ts';

export type Field = readonly [name: string, value: string];

/** Header fields of one block by name; of a name that came twice, the last value. */
export type Headers = ReadonlyMap<string, string>;

/** RFC 7541, appendix A: one name per line, with the values that are tabled too. */
const STATIC_TABLE: readonly Field[] = `:authority
:method GET,POST
:path /,/index.html
:scheme http,https
:status 200,204,206,304,400,404,500
accept-charset
accept-encoding gzip; deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`
  .split('\n')
  .flatMap((line) => {
    const [name = '', values = ''] = line.split(/ (.*)/);
    return values.split(',').map((value): Field => [name, value.replace(';', ',')]);
  });

/** What a field costs in the table beside its text. */
const FIELD_OVERHEAD_BYTES = 32;
export const TABLE_BYTES_MAX = 4096;
/** All fields of a request, as the other side is told. */
export const HEADER_LIST_BYTES_MAX = 64 << 10;

/** Reads header blocks, and keeps the table that they refer to. One per connection: blocks must be read in order. */
export class HeaderReader {
  /** Newest last. */
  #table: Field[] = [];
  #tableBytes = 0;
  #tableBytesMax = TABLE_BYTES_MAX;
  #block: Buffer = Buffer.alloc(0);
  #offset = 0;

  /** @throws MalformedBytes: the table is then of no use any more */
  read(block: Buffer): Headers {
    this.#block = block;
    this.#offset = 0;
    const headers = new Map<string, string>();
    let sizeBytes = 0;
    while (this.#offset < block.length) {
      const first = block[this.#offset] as number;
      if ((first & 0xe0) === 0x20) {
        this.#resize(this.#integer(5));
        continue;
      }
      const [name, value] = this.#field(first);
      sizeBytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
      if (sizeBytes > HEADER_LIST_BYTES_MAX)
        throw new MalformedBytes(`headers of more than ${HEADER_LIST_BYTES_MAX} bytes`);
      headers.set(name, value);
    }
    return headers;
  }

  #field(first: number): Field {
    if (first >= 0x80) return this.#entry(this.#integer(7));
    const indexed = first >= 0x40;
    const index = this.#integer(indexed ? 6 : 4);
    const name = index === 0 ? this.#text() : this.#entry(index)[0];
    const field: Field = [name, this.#text()];
    if (indexed) this.#add(field);
    return field;
  }

  #entry(index: number): Field {
    const field =
      index <= STATIC_TABLE.length
        ? STATIC_TABLE[index - 1]
        : this.#table[this.#table.length - (index - STATIC_TABLE.length)];
    if (field === undefined) throw new MalformedBytes(`header table has no entry ${index}`);
    return field;
  }

  #add(field: Field): void {
    this.#table.push(field);
    this.#tableBytes += bytesOf(field);
    this.#evict();
  }

  #resize(bytes: number): void {
    if (bytes > TABLE_BYTES_MAX) throw new MalformedBytes(`header table of ${bytes} bytes`);
    this.#tableBytesMax = bytes;
    this.#evict();
  }

  #evict(): void {
    let gone = 0;
    while (this.#tableBytes > this.#tableBytesMax) this.#tableBytes -= bytesOf(this.#table[gone++] as Field);
    if (gone > 0) this.#table = this.#table.slice(gone);
  }

  #text(): string {
    const huffman = (this.#byte(this.#offset) & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#offset;
    const end = start + length;
    if (end > this.#block.length) throw new MalformedBytes(`a text of ${length} bytes at ${start} of a header block`);
    this.#offset = end;
    return huffman ? decodeHuffman(this.#block, start, end) : this.#block.toString('latin1', start, end);
  }

  #integer(prefixBits: number): number {
    const full = (1 << prefixBits) - 1;
    let value = this.#byte(this.#offset++) & full;
    if (value < full) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte(this.#offset++);
      value += (byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new MalformedBytes('an integer that is too large in a header block');
  }

  #byte(at: number): number {
    const byte = this.#block[at];
    if (byte === undefined) throw new MalformedBytes('a header block that is cut off');
    return byte;
  }
}

function bytesOf([name, value]: Field): number {
  return name.length + value.length + FIELD_OVERHEAD_BYTES;
}

/** A header block that needs no table: such blocks can be made once and sent to anybody. */
export function encodeHeaders(fields: readonly Field[]): Buffer {
  const parts = fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)]));
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const length: number[] = [];
  if (bytes.length < 127) length.push(bytes.length);
  else {
    length.push(127);
    let rest = bytes.length - 127;
    for (; rest > 127; rest >>= 7) length.push((rest & 127) | 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}
