// The serving side of a SPDY/3.1 connection: the client opens streams, each is a Duplex here. Bytes travel over any
// Duplex: a socket after an HTTP upgrade, or a WebSocket that tunnels them.
import { Duplex } from 'node:stream';
import { dataHead, type Frame, FrameReader, goAway, ping, reset, SpdyError, synReply } from './frames.ts';
import { HeaderReader, type Headers, HeaderWriter } from './header-blocks.ts';

export { SpdyError } from './frames.ts';

/** Open at a time; a forwarded connection takes two. */
const STREAMS_MAX = 1_024;
/** Bytes of one stream that wait for their reader before the whole connection waits: SPDY as spoken here has no windows. */
const STREAM_BYTES_MAX = 1 << 20;
const DATA_BYTES_MAX = 1 << 20;

/** One stream. Its end is the client's half-close, `end()` is ours, an error is a reset or a lost connection. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  readonly #connection: SpdyConnection;

  constructor(connection: SpdyConnection, id: number, headers: Headers) {
    super({ readableHighWaterMark: STREAM_BYTES_MAX });
    this.#connection = connection;
    this.id = id;
    this.headers = headers;
    // Whoever serves the stream sees the error as its end; without a listener it would end the process.
    this.on('error', () => undefined);
  }

  override _read(): void {
    this.#connection.drained(this);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#connection.send(this.id, chunk, false, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Cut short: the client must not wait for more.
    if (!this.writableFinished) this.#connection.abandon(this.id);
    done(error);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection.send(this.id, Buffer.alloc(0), true, done);
  }
}

export class SpdyConnection {
  readonly #transport: Duplex;
  readonly #onStream: (stream: SpdyStream) => void;
  readonly #reader = new FrameReader();
  readonly #headersIn = new HeaderReader();
  readonly #headersOut = new HeaderWriter();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #full = new Set<SpdyStream>();
  #onDrained: (() => void) | undefined;
  #lastStreamId = 0;

  /** `onStream` throws when it does not want the stream; the client sees a reset. */
  constructor(transport: Duplex, onStream: (stream: SpdyStream) => void) {
    this.#transport = transport;
    this.#onStream = onStream;
  }

  /** Serves until the connection ends, on either side. @throws SpdyError when the client speaks something else */
  async run(): Promise<void> {
    try {
      for await (const chunk of this.#transport as AsyncIterable<Buffer>) {
        for (const frame of this.#reader.push(chunk)) {
          if (frame.kind === 'goAway') return;
          await this.#handle(frame);
          if (this.#full.size > 0) await new Promise<void>((resolve) => (this.#onDrained = resolve));
        }
      }
    } finally {
      for (const stream of this.#streams.values()) stream.destroy(new SpdyError('the connection is closed'));
      this.#headersIn.close();
      this.#headersOut.close();
      this.#transport.destroy();
    }
  }

  /** Says that no stream follows, and ends once all is sent. */
  close(): void {
    if (this.#transport.writable) this.#transport.end(goAway(this.#lastStreamId));
  }

  send(streamId: number, payload: Buffer, fin: boolean, done: (error?: Error | null) => void): void {
    if (!this.#transport.writable) {
      done(new SpdyError('the connection is closed'));
      return;
    }
    this.#transport.cork();
    let rest = payload;
    do {
      const part = rest.subarray(0, DATA_BYTES_MAX);
      rest = rest.subarray(part.length);
      this.#transport.write(dataHead(streamId, part.length, fin && rest.length === 0));
      if (rest.length > 0) this.#transport.write(part);
      else this.#transport.write(part, done);
    } while (rest.length > 0);
    this.#transport.uncork();
  }

  abandon(streamId: number): void {
    if (this.#streams.has(streamId) && this.#transport.writable) this.#transport.write(reset(streamId, 'cancel'));
  }

  drained(stream: SpdyStream): void {
    if (this.#full.delete(stream) && this.#full.size === 0) this.#onDrained?.();
  }

  async #handle(frame: Frame): Promise<void> {
    switch (frame.kind) {
      case 'synStream':
        return this.#open(frame.streamId, frame.fin, await this.#headersIn.read(frame.headers));
      case 'headers':
        await this.#headersIn.read(frame.headers);
        return;
      case 'data':
        return this.#receive(frame.streamId, frame.payload, frame.fin);
      case 'reset':
        this.#reset(frame.streamId);
        return;
      case 'ping':
        this.#transport.write(ping(frame.id));
        return;
      default:
        return;
    }
  }

  async #open(id: number, fin: boolean, headers: Headers): Promise<void> {
    if (id <= this.#lastStreamId) throw new SpdyError(`stream ${id} was opened before`);
    this.#lastStreamId = id;
    if (this.#streams.size >= STREAMS_MAX) {
      this.#transport.write(reset(id, 'refusedStream'));
      return;
    }
    const stream = new SpdyStream(this, id, headers);
    try {
      this.#onStream(stream);
    } catch {
      this.#transport.write(reset(id, 'protocolError'));
      return;
    }
    this.#streams.set(id, stream);
    stream.once('close', () => {
      this.#streams.delete(id);
      this.drained(stream);
    });
    this.#transport.write(synReply(id, await this.#headersOut.write(new Map())));
    if (fin) stream.push(null);
  }

  #reset(id: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.destroy(new SpdyError('the client reset the stream'));
  }

  #receive(id: number, payload: Buffer, fin: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.destroyed || stream.readableEnded) return;
    if (payload.length > 0 && !stream.push(payload)) this.#full.add(stream);
    if (fin) stream.push(null);
  }
}
