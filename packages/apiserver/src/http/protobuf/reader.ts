import { ProtobufError } from './errors.ts';

/** Nested groups that are stepped over; nothing upstream writes has any. */
const GROUPS_MAX = 16;

/** Reads protobuf's wire format from a buffer (protobuf.dev, "Encoding"). Error texts are those of upstream's decoder. */
export class Reader {
  readonly bytes: Buffer;
  at: number;
  /** Number and wire type of the field that `next` found. */
  field = 0;
  wire = 0;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Reads the next tag. @throws ProtobufError for one that cannot be in a message */
  next(end: number): void {
    const tag = this.unsigned(end);
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    if (this.wire === 4) {
      throw new ProtobufError('proto: wiretype end group for non-group');
    }
    if (this.field <= 0 || this.field > 0x1fffffff) {
      throw new ProtobufError(`proto: illegal tag ${this.field} (wire type ${tag})`);
    }
  }

  /** A varint as a number of at least 0; digits beyond 2^53 are lost. */
  unsigned(end: number): number {
    const first = this.#byte(end);
    if (first < 0x80) {
      return first;
    }
    let result = first & 0x7f;
    let factor = 0x80;
    for (let length = 1; length < 10; length += 1) {
      const byte = this.#byte(end);
      result += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        return result;
      }
      factor *= 0x80;
    }
    throw new ProtobufError('proto: integer overflow');
  }

  /** A varint as a signed 64-bit integer. */
  integer(end: number): number {
    const start = this.at;
    const value = this.unsigned(end);
    if (value < Number.MAX_SAFE_INTEGER) {
      return value;
    }
    let exact = 0n;
    for (let at = this.at - 1; at >= start; at -= 1) {
      exact = (exact << 7n) | BigInt((this.bytes[at] ?? 0) & 0x7f);
    }
    return Number(BigInt.asIntN(64, exact));
  }

  double(end: number): number {
    const at = this.at;
    this.#forward(8, end);
    const value = this.bytes.readDoubleLE(at);
    if (!Number.isFinite(value)) {
      throw new ProtobufError(`json: unsupported value: ${value}`);
    }
    return value;
  }

  /** Steps over a length; the content lies between `at` and what is returned. */
  open(end: number): number {
    const length = this.unsigned(end);
    if (length >= 2 ** 63) {
      throw new ProtobufError('proto: negative length found during unmarshaling');
    }
    if (this.at + length > end) {
      throw new ProtobufError('unexpected EOF');
    }
    return this.at + length;
  }

  /** UTF-8 with its length. */
  string(end: number): string {
    const stop = this.open(end);
    const text = this.bytes.toString('utf8', this.at, stop);
    this.at = stop;
    return text;
  }

  base64(end: number): string {
    const stop = this.open(end);
    const text = this.bytes.toString('base64', this.at, stop);
    this.at = stop;
    return text;
  }

  /** Steps over the value of the field that `next` found. */
  skip(end: number, depth = 0): void {
    switch (this.wire) {
      case 0:
        this.unsigned(end);
        return;
      case 1:
        this.#forward(8, end);
        return;
      case 2:
        this.at = this.open(end);
        return;
      case 3:
        this.#skipGroup(end, depth);
        return;
      case 5:
        this.#forward(4, end);
        return;
      default:
        throw new ProtobufError(`proto: illegal wireType ${this.wire}`);
    }
  }

  #skipGroup(end: number, depth: number): void {
    if (depth >= GROUPS_MAX) {
      throw new ProtobufError(`a group is nested deeper than ${GROUPS_MAX} levels`);
    }
    for (;;) {
      this.wire = this.unsigned(end) % 8;
      if (this.wire === 4) {
        return;
      }
      this.skip(end, depth + 1);
    }
  }

  #byte(end: number): number {
    if (this.at >= end) {
      throw new ProtobufError('unexpected EOF');
    }
    const byte = this.bytes[this.at] as number;
    this.at += 1;
    return byte;
  }

  #forward(length: number, end: number): void {
    if (this.at + length > end) {
      throw new ProtobufError('unexpected EOF');
    }
    this.at += length;
  }
}
