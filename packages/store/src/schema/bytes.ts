/** Thrown when bytes from a wire or a disk do not have the promised form. */
export class MalformedBytes extends Error {
  override readonly name = 'MalformedBytes';
}

const CAPACITY_BYTES_INITIAL = 256;
const VARINT_BYTES_MAX = 10;

/** Appends numbers and bytes to a buffer that grows by doubling. */
export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacityBytes = CAPACITY_BYTES_INITIAL) {
    this.#buffer = Buffer.allocUnsafe(capacityBytes);
  }

  get length(): number {
    return this.#length;
  }

  /** Everything written, without a copy; do not write on afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32BE(value, this.#length);
  }

  /** Overwrites four bytes written before: for lengths known only afterwards. */
  u32At(offset: number, value: number): void {
    this.#buffer.writeUInt32BE(value, offset);
  }

  /** Protobuf's base-128 integer; a negative number takes ten bytes as an int64 does. */
  varint(value: number): void {
    if (value < 0) {
      this.#long(BigInt(value));
      return;
    }
    this.#reserve(VARINT_BYTES_MAX);
    let rest = value;
    while (rest > 0x7fff_ffff) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.#buffer[this.#length++] = (rest & 127) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  /** An integer of up to 64 bits: a bigint where a number would not be exact. */
  wide(value: number | bigint): void {
    if (typeof value === 'number') this.varint(value);
    else this.#long(value);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** One byte per character: for keys held as byte strings. */
  latin1(value: string): void {
    this.#reserve(value.length);
    this.#length += this.#buffer.write(value, this.#length, 'latin1');
  }

  sizedBytes(value: Uint8Array): void {
    this.varint(value.length);
    this.bytes(value);
  }

  sizedLatin1(value: string): void {
    this.varint(value.length);
    this.latin1(value);
  }

  /** Makes room for a part whose size is known only afterwards; close with `endSized`. */
  beginSized(): number {
    this.#reserve(1);
    return this.#length++;
  }

  /** Writes the size of what followed `beginSized`, moving it up if the size takes more than one byte. */
  endSized(start: number): void {
    const size = this.#length - start - 1;
    const extra = varintLength(size) - 1;
    // Enough for `varint` below not to grow the buffer, which would forget what lies beyond its position.
    this.#reserve(VARINT_BYTES_MAX);
    if (extra > 0) this.#buffer.copyWithin(start + 1 + extra, start + 1, this.#length);
    this.#length = start;
    this.varint(size);
    this.#length += size;
  }

  #long(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest > 127n) {
      this.u8(Number(rest & 127n) | 0x80);
      rest >>= 7n;
    }
    this.u8(Number(rest));
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

export function varintLength(value: number | bigint): number {
  if (value < 0) return VARINT_BYTES_MAX;
  let length = 1;
  if (typeof value === 'bigint') {
    for (let rest = value; rest > 127n; rest >>= 7n) length++;
    return length;
  }
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Reads what ByteWriter wrote; refuses to read past the end. Returned byte ranges are views, not copies. */
export class ByteReader {
  readonly #buffer: Buffer;
  #offset: number;
  readonly #end: number;

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.#buffer = buffer;
    this.#offset = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#offset >= this.#end;
  }

  get offset(): number {
    return this.#offset;
  }

  u8(): number {
    return this.#buffer[this.#advance(1)] ?? 0;
  }

  u32(): number {
    return this.#buffer.readUInt32BE(this.#advance(4));
  }

  /**
   * @param clamp read what lies beyond ±2^53 as ±(2^53-1)
   * @throws MalformedBytes beyond ±2^53 otherwise: nothing of ours is that large
   */
  varint(clamp = false): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    const wide = this.#long(value);
    if (typeof wide === 'number') return wide;
    if (clamp) return wide < 0 ? -Number.MAX_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
    throw new MalformedBytes(`Integer ${wide} at offset ${this.#offset} is too large`);
  }

  /** What `ByteWriter.wide` wrote: a bigint only beyond ±(2^53-1). */
  wide(): number | bigint {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    return this.#long(value);
  }

  /** An unsigned count or size, checked against what is left so that a bad one cannot make us allocate. */
  size(): number {
    const size = this.varint();
    if (size < 0 || size > this.#end - this.#offset) {
      throw new MalformedBytes(`Size ${size} at offset ${this.#offset} exceeds the ${this.#end} bytes given`);
    }
    return size;
  }

  bytes(count: number): Buffer {
    const start = this.#advance(count);
    return this.#buffer.subarray(start, start + count);
  }

  sizedBytes(): Buffer {
    return this.bytes(this.size());
  }

  /** A reader of a sized part, and moves behind it. */
  part(): ByteReader {
    const size = this.size();
    const start = this.#advance(size);
    return new ByteReader(this.#buffer, start, start + size);
  }

  sizedLatin1(): string {
    const size = this.size();
    const start = this.#advance(size);
    return this.#buffer.toString('latin1', start, start + size);
  }

  skip(count: number): void {
    this.#advance(count);
  }

  /** The rare integers of more than seven bytes, of which `low` are the first 49 bits. */
  #long(low: number): number | bigint {
    let wide = BigInt(low);
    for (let shift = 49n; ; shift += 7n) {
      if (shift > 63n) throw new MalformedBytes(`Integer at offset ${this.#offset} is longer than 64 bits`);
      const byte = this.u8();
      wide += BigInt(byte & 127) << shift;
      if (byte < 128) break;
    }
    const signed = BigInt.asIntN(64, wide);
    const value = Number(signed);
    return Number.isSafeInteger(value) ? value : signed;
  }

  #advance(count: number): number {
    const start = this.#offset;
    if (start + count > this.#end) {
      throw new MalformedBytes(`Cannot read ${count} bytes at offset ${start}: only ${this.#end - start} left`);
    }
    this.#offset = start + count;
    return start;
  }
}
