import { MalformedBytes } from '../schema/bytes.ts';

/** In front of each message: a flag (1: compressed) and its length. */
export const PREFIX_BYTES = 5;

/** A message cannot be taken; the call ends with this. */
export class RefusedMessage extends Error {
  override readonly name = 'RefusedMessage';
  readonly why: 'compressed' | 'tooLarge';

  constructor(why: 'compressed' | 'tooLarge', text: string) {
    super(text);
    this.why = why;
  }
}

/** Cuts the bytes of a call into messages. A message that came in one piece is a view, not a copy. */
export class MessageReader {
  readonly #bytesMax: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes of a message that has not come wholly. */
  get heldBytes(): number {
    return this.#length;
  }

  /** @throws RefusedMessage @throws MalformedBytes */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed()) return;
    let bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#length);
    while (bytes.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + this.#lengthOf(bytes);
      if (bytes.length < end) break;
      const message = bytes.subarray(PREFIX_BYTES, end);
      bytes = bytes.subarray(end);
      onMessage(message);
    }
    this.#parts = bytes.length === 0 ? [] : [bytes];
    this.#length = bytes.length;
  }

  /** Bytes to wait for before it is worth joining what has come. */
  #needed(): number {
    const [first] = this.#parts;
    return first === undefined || first.length < PREFIX_BYTES ? PREFIX_BYTES : PREFIX_BYTES + this.#lengthOf(first);
  }

  #lengthOf(bytes: Buffer): number {
    const flag = bytes[0] ?? 0;
    if (flag === 1)
      throw new RefusedMessage('compressed', 'messages are taken as they are: compression is not supported');
    if (flag !== 0) throw new MalformedBytes(`message flag ${flag}`);
    const length = bytes.readUInt32BE(1);
    if (length > this.#bytesMax) {
      throw new RefusedMessage('tooLarge', `grpc: received message larger than max (${length} vs. ${this.#bytesMax})`);
    }
    return length;
  }
}
