import { type ByteWriter, MalformedBytes } from './bytes.ts';

/**
 * A frame is u32 length of what follows, u8 kind, u32 id, payload. The id is chosen by the client: one per request or
 * watch; answers carry it back, in any order.
 */
const LENGTH_BYTES = 4;
const HEAD_BYTES = 5;

/** Client to store. */
export const requests = {
  range: 1,
  put: 2,
  deleteRange: 3,
  txn: 4,
  compact: 5,
  leaseGrant: 6,
  leaseRevoke: 7,
  leaseKeepAlive: 8,
  leaseTimeToLive: 9,
  status: 10,
  watch: 11,
  /** The frame's id is the watch's; no answer. */
  watchCancel: 12,
  watchProgress: 13,
  /** The reader has taken a batch: one more may be sent. */
  watchTaken: 14,
  /** Status, once a leader is known other than the one given; at the latest after `LEADER_WAIT_MS`. */
  leader: 15,
} as const;

/** Store to client. */
export const answers = {
  ok: 129,
  error: 130,
  /** A watch exists; its payload is a batch without events. */
  watchCreated: 131,
  watchBatch: 132,
} as const;

export function beginFrame(writer: ByteWriter, kind: number, id: number): number {
  const start = writer.length;
  writer.u32(0);
  writer.u8(kind);
  writer.u32(id);
  return start;
}

export function endFrame(writer: ByteWriter, start: number): void {
  writer.u32At(start, writer.length - start - LENGTH_BYTES);
}

export type OnFrame = (kind: number, id: number, payload: Buffer) => void;

/** Cuts a byte stream into frames. Payloads are views into what was received. */
export class FrameReader {
  readonly #bytesMax: number;
  readonly #onFrame: OnFrame;
  #parts: Buffer[] = [];
  #length = 0;
  #needed = LENGTH_BYTES;

  /** @param bytesMax a longer frame is refused before it is collected */
  constructor(bytesMax: number, onFrame: OnFrame) {
    this.#bytesMax = bytesMax;
    this.#onFrame = onFrame;
  }

  /** @throws MalformedBytes if a frame is too long or too short: the stream is then of no use any more */
  push(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed) return;
    let bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#length);
    for (;;) {
      this.#needed = LENGTH_BYTES;
      if (bytes.length < LENGTH_BYTES) break;
      const length = bytes.readUInt32BE(0);
      if (length < HEAD_BYTES || length > this.#bytesMax) {
        throw new MalformedBytes(`Frame of ${length} bytes, allowed are ${HEAD_BYTES} to ${this.#bytesMax}`);
      }
      this.#needed = LENGTH_BYTES + length;
      if (bytes.length < this.#needed) break;
      const payload = bytes.subarray(LENGTH_BYTES + HEAD_BYTES, this.#needed);
      const rest = bytes.subarray(this.#needed);
      this.#onFrame(bytes[LENGTH_BYTES] ?? 0, bytes.readUInt32BE(LENGTH_BYTES + 1), payload);
      bytes = rest;
    }
    this.#parts = bytes.length === 0 ? [] : [bytes];
    this.#length = bytes.length;
  }
}
