import type { Duplex } from 'node:stream';
import { ByteWriter } from '../../schema/bytes.ts';
import { CONNECTION_OUT_BYTES_MAX } from '../../schema/limits.ts';
import { FRAME_BYTES_MAX, frameFlags, frameTypes } from './frames.ts';

/** Sends frames. All of one turn of the event loop leave together: one TLS record serves many calls. */
export class FrameWriter {
  readonly #socket: Duplex;
  #writer: ByteWriter | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Bytes the other side's socket has not taken. */
  get waitingBytes(): number {
    return this.#socket.writableLength + (this.#writer?.length ?? 0);
  }

  headers(stream: number, block: Buffer, end: boolean): void {
    for (let at = 0; at === 0 || at < block.length; at += FRAME_BYTES_MAX) {
      const part = block.subarray(at, at + FRAME_BYTES_MAX);
      const last = at + FRAME_BYTES_MAX >= block.length;
      const flags = (last ? frameFlags.endHeaders : 0) | (end && at === 0 ? frameFlags.endStream : 0);
      this.frame(at === 0 ? frameTypes.headers : frameTypes.continuation, flags, stream, part);
    }
  }

  reset(stream: number, code: number): void {
    this.frame(frameTypes.reset, 0, stream, u32(code));
  }

  window(stream: number, bytes: number): void {
    this.frame(frameTypes.windowUpdate, 0, stream, u32(bytes));
  }

  frame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (this.#writer === undefined) {
      this.#writer = new ByteWriter(4096);
      queueMicrotask(() => this.flush());
    }
    const writer = this.#writer;
    // Length and type are one word.
    writer.u32(((payload.length << 8) | type) >>> 0);
    writer.u8(flags);
    writer.u32(stream);
    writer.bytes(payload);
  }

  flush(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer === undefined || !this.#socket.writable) return;
    this.#socket.write(writer.finish());
    // A client that sends but does not read has to wait.
    if (this.#socket.writableLength > CONNECTION_OUT_BYTES_MAX) this.#socket.pause();
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}
