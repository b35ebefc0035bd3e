import type { Duplex } from 'node:stream';
import { ByteWriter } from '../schema/bytes.ts';
import { beginFrame, endFrame } from '../schema/frames.ts';

/** Gathers the frames of one turn of the event loop into one write: one TLS record serves many answers. */
export class OutBuffer {
  readonly #stream: Duplex;
  #writer: ByteWriter | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  /** Bytes that the other side has not taken yet. */
  get waitingBytes(): number {
    return this.#stream.writableLength + (this.#writer?.length ?? 0);
  }

  frame(kind: number, id: number, write?: (writer: ByteWriter) => void): void {
    if (this.#writer === undefined) {
      this.#writer = new ByteWriter(4096);
      queueMicrotask(() => this.#flush());
    }
    const start = beginFrame(this.#writer, kind, id);
    write?.(this.#writer);
    endFrame(this.#writer, start);
  }

  #flush(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer !== undefined && this.#stream.writable) this.#stream.write(writer.finish());
  }
}
