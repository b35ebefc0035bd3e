const START_BYTES = 16 * 1024;
/** Room that stays for the next message; a larger one was an exception. */
const KEPT_BYTES = 1024 * 1024;
/** Up to here a loop over characters beats a call into the runtime. */
const SHORT_TEXT = 32;

/**
 * Writes protobuf's wire format (protobuf.dev, "Encoding") from the end to the beginning, so a message's length is
 * known when its header is written, without measuring it first.
 */
export class Writer {
  #bytes = Buffer.allocUnsafeSlow(START_BYTES);
  #at = START_BYTES;

  /** Bytes written so far. The difference of two of these is the length of what was written between. */
  get size(): number {
    return this.#bytes.length - this.#at;
  }

  /** What was written, in memory of its own; the writer is empty again. */
  take(): Buffer {
    const result = Buffer.allocUnsafeSlow(this.size);
    this.#bytes.copy(result, 0, this.#at);
    this.reset();
    return result;
  }

  reset(): void {
    if (this.#bytes.length > KEPT_BYTES) {
      this.#bytes = Buffer.allocUnsafeSlow(START_BYTES);
    }
    this.#at = this.#bytes.length;
  }

  /** Position of `length` new bytes. */
  #room(length: number): number {
    if (this.#at < length) {
      const { size } = this;
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, (size + length) * 2));
      this.#bytes.copy(larger, larger.length - size, this.#at);
      this.#at = larger.length - size;
      this.#bytes = larger;
    }
    this.#at -= length;
    return this.#at;
  }

  byte(value: number): void {
    this.#bytes[this.#room(1)] = value;
  }

  /** An integer from 0 to 2^53. */
  unsigned(value: number): void {
    if (value < 0x80) {
      this.#bytes[this.#room(1)] = value;
      return;
    }
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      length += 1;
    }
    let at = this.#room(length);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      this.#bytes[at] = (rest % 0x80) | 0x80;
      at += 1;
    }
    this.#bytes[at] = rest;
  }

  /** A signed 64-bit integer; negative ones take ten bytes. */
  integer(value: number): void {
    if (value >= 0) {
      this.unsigned(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    const at = this.#room(10);
    for (let index = 0; index < 10; index += 1) {
      this.#bytes[at + index] = Number(rest & 0x7fn) | (index < 9 ? 0x80 : 0);
      rest >>= 7n;
    }
  }

  double(value: number): void {
    const at = this.#room(8);
    this.#bytes.writeDoubleLE(value, at);
  }

  raw(bytes: Uint8Array): void {
    const { length } = bytes;
    const at = this.#room(length);
    if (length > SHORT_TEXT) {
      this.#bytes.set(bytes, at);
      return;
    }
    for (let index = 0; index < length; index += 1) {
      this.#bytes[at + index] = bytes[index] as number;
    }
  }

  /** The last `length` bytes written, which stay. */
  copy(length: number): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#bytes, this.#at, this.#at + length);
  }

  /** UTF-8 without its length. */
  text(value: string): void {
    const { length } = value;
    if (length <= SHORT_TEXT) {
      const at = this.#room(length);
      const bytes = this.#bytes;
      let index = 0;
      for (; index < length; index += 1) {
        const code = value.charCodeAt(index);
        if (code > 0x7f) break;
        bytes[at + index] = code;
      }
      if (index === length) {
        return;
      }
      this.#at += length;
    }
    const size = Buffer.byteLength(value);
    const at = this.#room(size);
    this.#bytes.write(value, at, size);
  }

  /** UTF-8 with its length before it. */
  string(value: string): void {
    const before = this.size;
    this.text(value);
    this.unsigned(this.size - before);
  }
}
