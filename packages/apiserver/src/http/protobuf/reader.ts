/** Bytes that are no protobuf message. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** Reads protobuf's wire format from a buffer (protobuf.dev, "Encoding"). */
export class Reader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  tag(): { readonly field: number; readonly wire: number } {
    const tag = Number(this.varint());
    return { field: Math.floor(tag / 8), wire: tag % 8 };
  }

  /** As a signed 64-bit integer. */
  varint(): bigint {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return BigInt.asIntN(64, result);
      }
    }
    throw new ProtobufError('proto: integer overflow');
  }

  double(): number {
    const at = this.#skipTo(8);
    return this.#bytes.readDoubleLE(at);
  }

  bytes(): Buffer {
    const length = Number(this.varint());
    const at = this.#skipTo(length);
    return this.#bytes.subarray(at, at + length);
  }

  skip(wire: number): void {
    switch (wire) {
      case 0:
        this.varint();
        return;
      case 1:
        this.#skipTo(8);
        return;
      case 2:
        this.bytes();
        return;
      case 5:
        this.#skipTo(4);
        return;
      default:
        throw new ProtobufError(`proto: illegal wireType ${wire}`);
    }
  }

  #byte(): number {
    return this.#bytes[this.#skipTo(1)] ?? 0;
  }

  #skipTo(length: number): number {
    const at = this.#at;
    if (!(length >= 0) || at + length > this.#end) {
      throw new ProtobufError('unexpected EOF');
    }
    this.#at = at + length;
    return at;
  }
}
