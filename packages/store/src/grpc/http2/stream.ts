import type { Connection } from './connection.ts';
import { errorCodes, FRAME_BYTES_MAX, frameTypes } from './frames.ts';
import type { Headers } from './hpack.ts';

/** What is told to whoever serves a stream. */
export interface StreamEvents {
  /** @returns bytes kept because what they belong to is not complete */
  data(chunk: Buffer): number;
  /** The other side has sent all it will. */
  ended(): void;
  /** What had to wait could be sent. */
  drained(): void;
  /** The stream is over, whoever ended it. */
  closed(): void;
}

/** One HTTP/2 stream: a request, and what we send in answer. Sending obeys the windows of stream and connection. */
export class Stream {
  readonly id: number;
  readonly headers: Headers;
  events: StreamEvents | undefined;
  /** What we may still send, and the other side. */
  sendWindow: number;
  receiveWindow: number;
  remoteEnded: boolean;
  /** Bytes received and not yet given back to the other side's window. */
  unacknowledged = 0;
  /** Bytes of an incomplete message. */
  heldBytes = 0;
  readonly #connection: Connection;
  /** Waits for room in a window. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #trailers: Buffer | undefined;
  #closed = false;

  constructor(
    connection: Connection,
    id: number,
    headers: Headers,
    windows: { readonly send: number; readonly receive: number },
    remoteEnded: boolean,
  ) {
    this.#connection = connection;
    this.id = id;
    this.headers = headers;
    this.sendWindow = windows.send;
    this.receiveWindow = windows.receive;
    this.remoteEnded = remoteEnded;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that wait for the other side: its windows, or its socket. */
  get waitingBytes(): number {
    return this.#waitingBytes + this.#connection.out.waitingBytes;
  }

  /** @param block of `encodeHeaders` @param end nothing follows */
  sendHeaders(block: Buffer, end: boolean): void {
    if (this.#closed) return;
    this.#connection.out.headers(this.id, block, end);
    if (end) this.#finish();
  }

  sendData(bytes: Buffer): void {
    if (this.#closed) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.flush();
  }

  /** Ends the stream once all data is out. */
  sendTrailers(block: Buffer): void {
    if (this.#closed) return;
    this.#trailers = block;
    this.flush();
  }

  /** Sends what the windows allow. @returns true if nothing waits any more */
  flush(): boolean {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const room = Math.min(this.sendWindow, this.#connection.sendWindow, FRAME_BYTES_MAX);
      if (room <= 0) return false;
      const part = next.length <= room ? next : next.subarray(0, room);
      if (part === next) this.#waiting.shift();
      else this.#waiting[0] = next.subarray(room);
      this.#waitingBytes -= part.length;
      this.sendWindow -= part.length;
      this.#connection.sendWindow -= part.length;
      this.#connection.out.frame(frameTypes.data, 0, this.id, part);
    }
    if (this.#trailers !== undefined) {
      const block = this.#trailers;
      this.#trailers = undefined;
      this.#connection.out.headers(this.id, block, true);
      this.#finish();
    }
    return true;
  }

  /** Our side is done. A client that still sends is told to stop, without calling it an error. */
  #finish(): void {
    if (!this.remoteEnded) this.#connection.out.reset(this.id, errorCodes.none);
    this.close();
  }

  /** Ends it at once, and says so. */
  reset(code: number): void {
    if (this.#closed) return;
    this.#connection.out.reset(this.id, code);
    this.close();
  }

  /** It is over; nothing is sent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#connection.forget(this);
    this.events?.closed();
  }
}
