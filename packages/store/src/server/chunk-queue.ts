/** Chunks held before the sender is asked to wait. */
const CHUNKS_MAX = 8;

/** Chunks from a socket as an async iterable, holding the socket back while its reader is busy. */
export class ChunkQueue implements AsyncIterable<Buffer> {
  readonly #chunks: Buffer[] = [];
  readonly #onFull: () => void;
  readonly #onFree: () => void;
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: Error | undefined;

  constructor(onFull: () => void, onFree: () => void) {
    this.#onFull = onFull;
    this.#onFree = onFree;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    if (this.#chunks.length === CHUNKS_MAX) this.#onFull();
    this.#wake?.();
  }

  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Buffer> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        if (this.#chunks.length === CHUNKS_MAX - 1) this.#onFree();
        yield chunk;
      } else if (this.#ended) {
        if (this.#failure !== undefined) throw this.#failure;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
