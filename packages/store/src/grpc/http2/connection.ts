import type { Duplex } from 'node:stream';
import { ByteWriter, MalformedBytes } from '../../schema/bytes.ts';
import { GRPC_CALLS_MAX } from '../../schema/limits.ts';
import { FrameWriter } from './frame-writer.ts';
import {
  ConnectionError,
  errorCodes,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  frameFlags,
  frameTypes,
  PREFACE,
  settingIds,
  WINDOW_BYTES_INITIAL,
  WINDOW_BYTES_MAX,
} from './frames.ts';
import { HEADER_LIST_BYTES_MAX, HeaderReader } from './hpack.ts';
import { Stream } from './stream.ts';

/** What a client may send before it is read, on a stream and in all. */
const STREAM_WINDOW_BYTES = 1 << 20;
const CONNECTION_WINDOW_BYTES = 8 << 20;
/** Bytes of all incomplete messages of a connection. */
const HELD_BYTES_MAX = 128 << 20;
/** Streams opened and broken off by the client: so many at once, and so many a second ("rapid reset"). */
const RESETS_MAX = 1000;
const RESETS_PER_SECOND_MAX = 100;

export interface ConnectionParts {
  /** A request; its handler is to be set before this returns. */
  readonly onStream: (stream: Stream) => void;
  /** @returns false if the client pings too often */
  readonly onPing: (busy: boolean) => boolean;
  readonly onError: (error: Error) => void;
  readonly nowMs: () => number;
}

/**
 * The server's side of HTTP/2, as much of it as gRPC needs. Node's own costs a crossing into native code and back for
 * each of a call's many small steps: three to five times as much (measured) as these few hundred lines.
 */
export class Connection {
  readonly #socket: Duplex;
  readonly #parts: ConnectionParts;
  readonly #out: FrameWriter;
  readonly #headers = new HeaderReader();
  readonly #streams = new Map<number, Stream>();
  #rest: Buffer = Buffer.alloc(0);
  #greeted = false;
  #lastStream = 0;
  /** A header block that goes on in the next frame. */
  #block: { readonly stream: number; readonly end: boolean; bytes: Buffer } | undefined;
  sendWindow = WINDOW_BYTES_INITIAL;
  #receiveWindow = CONNECTION_WINDOW_BYTES;
  #unacknowledged = 0;
  #heldBytes = 0;
  #initialSendWindow = WINDOW_BYTES_INITIAL;
  #resets = { count: 0, sinceMs: 0 };
  #closed = false;

  constructor(socket: Duplex, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#out = new FrameWriter(socket);
    this.#resets.sinceMs = parts.nowMs();
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#drained());
    socket.on('error', (error) => parts.onError(error));
    socket.on('close', () => this.#close());
    this.#greet();
  }

  get out(): FrameWriter {
    return this.#out;
  }

  forget(stream: Stream): void {
    this.#streams.delete(stream.id);
    this.#heldBytes -= stream.heldBytes;
    stream.heldBytes = 0;
  }

  #greet(): void {
    const settings = new ByteWriter(32);
    for (const [id, value] of [
      [settingIds.maxConcurrentStreams, GRPC_CALLS_MAX],
      [settingIds.initialWindowSize, STREAM_WINDOW_BYTES],
      [settingIds.maxHeaderListSize, HEADER_LIST_BYTES_MAX],
    ] as const) {
      settings.u8(0);
      settings.u8(id);
      settings.u32(value);
    }
    this.#out.frame(frameTypes.settings, 0, 0, settings.finish());
    this.#out.window(0, CONNECTION_WINDOW_BYTES - WINDOW_BYTES_INITIAL);
  }

  #drained(): void {
    this.#socket.resume();
    for (const stream of [...this.#streams.values()]) if (stream.flush()) stream.events?.drained();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stream of [...this.#streams.values()]) stream.close();
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    try {
      if (!this.#greeted) {
        if (!bytes.subarray(0, PREFACE.length).equals(PREFACE.subarray(0, bytes.length))) {
          throw new ConnectionError(errorCodes.protocol, 'it does not speak HTTP/2');
        }
        if (bytes.length >= PREFACE.length) {
          this.#greeted = true;
          bytes = bytes.subarray(PREFACE.length);
        }
      }
      if (this.#greeted) bytes = this.#frames(bytes);
      this.#rest = bytes;
    } catch (error) {
      if (error instanceof ConnectionError) this.#fail(error);
      else if (error instanceof MalformedBytes) this.#fail(new ConnectionError(errorCodes.compression, error.message));
      else throw error;
    }
  }

  /** @returns the beginning of a frame that has not come wholly */
  #frames(bytes: Buffer): Buffer {
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES && !this.#closed) {
      const head = bytes.readUInt32BE(at);
      const length = head >>> 8;
      if (length > FRAME_BYTES_MAX) throw new ConnectionError(errorCodes.frameSize, `a frame of ${length} bytes`);
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > bytes.length) break;
      const stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
      const payload = bytes.subarray(at + FRAME_HEADER_BYTES, end);
      this.#take(head & 255, bytes[at + 4] as number, stream, payload);
      at = end;
    }
    return at === bytes.length ? NOTHING : bytes.subarray(at);
  }

  #take(type: number, flags: number, stream: number, payload: Buffer): void {
    if (this.#block !== undefined && (type !== frameTypes.continuation || stream !== this.#block.stream)) {
      throw new ConnectionError(errorCodes.protocol, 'a header block was broken off');
    }
    switch (type) {
      case frameTypes.data:
        this.#takeData(flags, stream, payload);
        return;
      case frameTypes.headers:
        this.#takeHeaders(flags, stream, payload);
        return;
      case frameTypes.continuation:
        this.#takeContinuation(flags, payload);
        return;
      case frameTypes.reset:
        this.#takeReset(stream, payload);
        return;
      case frameTypes.settings:
        this.#takeSettings(flags, payload);
        return;
      case frameTypes.ping:
        this.#takePing(flags, payload);
        return;
      case frameTypes.windowUpdate:
        this.#takeWindow(stream, payload);
        return;
      case frameTypes.pushPromise:
        throw new ConnectionError(errorCodes.protocol, 'a client cannot push');
      default:
        // Priorities, which we do not follow, a farewell, which is followed by a close, and what is not known.
        return;
    }
  }

  #takeData(flags: number, id: number, payload: Buffer): void {
    this.#receiveWindow -= payload.length;
    if (this.#receiveWindow < 0) throw new ConnectionError(errorCodes.flowControl, 'more data than the window allows');
    this.#unacknowledged += payload.length;
    if (this.#unacknowledged >= CONNECTION_WINDOW_BYTES / 2) {
      this.#out.window(0, this.#unacknowledged);
      this.#receiveWindow += this.#unacknowledged;
      this.#unacknowledged = 0;
    }
    const stream = this.#known(id);
    if (stream === undefined) return;
    if (stream.remoteEnded) {
      stream.reset(errorCodes.streamClosed);
      return;
    }
    stream.receiveWindow -= payload.length;
    if (stream.receiveWindow < 0) {
      stream.reset(errorCodes.flowControl);
      return;
    }
    this.#hold(stream, stream.events?.data(unpadded(flags, payload)) ?? 0);
    if ((flags & frameFlags.endStream) !== 0) this.#endRemote(stream);
    else this.#acknowledge(stream, payload.length);
  }

  #hold(stream: Stream, bytes: number): void {
    if (stream.closed) return;
    this.#heldBytes += bytes - stream.heldBytes;
    stream.heldBytes = bytes;
    if (this.#heldBytes > HELD_BYTES_MAX) stream.reset(errorCodes.enhanceYourCalm);
  }

  #acknowledge(stream: Stream, bytes: number): void {
    stream.unacknowledged += bytes;
    if (stream.closed || stream.unacknowledged < STREAM_WINDOW_BYTES / 2) return;
    this.#out.window(stream.id, stream.unacknowledged);
    stream.receiveWindow += stream.unacknowledged;
    stream.unacknowledged = 0;
  }

  #endRemote(stream: Stream): void {
    stream.remoteEnded = true;
    if (!stream.closed) stream.events?.ended();
  }

  #takeHeaders(flags: number, id: number, payload: Buffer): void {
    let block = unpadded(flags, payload);
    if ((flags & frameFlags.priority) !== 0) {
      if (block.length < 5) throw new ConnectionError(errorCodes.frameSize, 'a priority that is cut off');
      block = block.subarray(5);
    }
    const end = (flags & frameFlags.endStream) !== 0;
    if ((flags & frameFlags.endHeaders) !== 0) this.#request(id, end, block);
    else this.#block = { stream: id, end, bytes: Buffer.from(block) };
  }

  #takeContinuation(flags: number, payload: Buffer): void {
    const block = this.#block;
    if (block === undefined) throw new ConnectionError(errorCodes.protocol, 'a continuation of nothing');
    block.bytes = Buffer.concat([block.bytes, payload]);
    if (block.bytes.length > HEADER_LIST_BYTES_MAX) {
      throw new ConnectionError(errorCodes.enhanceYourCalm, 'a header block that does not end');
    }
    if ((flags & frameFlags.endHeaders) === 0) return;
    this.#block = undefined;
    this.#request(block.stream, block.end, block.bytes);
  }

  /** Every block must be read, also one that nobody wants: the next ones refer to it. */
  #request(id: number, end: boolean, block: Buffer): void {
    const headers = this.#headers.read(block);
    if (id <= this.#lastStream) {
      const stream = this.#known(id);
      if (stream !== undefined && end && !stream.remoteEnded) this.#endRemote(stream);
      else stream?.reset(errorCodes.protocol);
      return;
    }
    if (id % 2 === 0) throw new ConnectionError(errorCodes.protocol, `stream ${id} cannot be a client's`);
    this.#lastStream = id;
    if (this.#streams.size >= GRPC_CALLS_MAX) {
      this.#out.reset(id, errorCodes.refusedStream);
      return;
    }
    const windows = { send: this.#initialSendWindow, receive: STREAM_WINDOW_BYTES };
    const stream = new Stream(this, id, headers, windows, end);
    this.#streams.set(id, stream);
    this.#parts.onStream(stream);
    if (end && !stream.closed) stream.events?.ended();
  }

  #takeReset(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionError(errorCodes.frameSize, `a reset of ${payload.length} bytes`);
    const nowMs = this.#parts.nowMs();
    const forgiven = ((nowMs - this.#resets.sinceMs) / 1000) * RESETS_PER_SECOND_MAX;
    this.#resets = { count: Math.max(0, this.#resets.count - forgiven) + 1, sinceMs: nowMs };
    if (this.#resets.count > RESETS_MAX) {
      throw new ConnectionError(errorCodes.enhanceYourCalm, 'it opens streams only to break them off');
    }
    this.#known(id)?.close();
  }

  #takeSettings(flags: number, payload: Buffer): void {
    if ((flags & frameFlags.ack) !== 0) return;
    if (payload.length % 6 !== 0)
      throw new ConnectionError(errorCodes.frameSize, `settings of ${payload.length} bytes`);
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== settingIds.initialWindowSize) continue;
      const size = payload.readUInt32BE(at + 2);
      if (size > WINDOW_BYTES_MAX) throw new ConnectionError(errorCodes.flowControl, `a window of ${size} bytes`);
      for (const stream of this.#streams.values()) stream.sendWindow += size - this.#initialSendWindow;
      this.#initialSendWindow = size;
    }
    this.#out.frame(frameTypes.settings, frameFlags.ack, 0, NOTHING);
    this.#windowsGrew();
  }

  #takePing(flags: number, payload: Buffer): void {
    if (payload.length !== 8) throw new ConnectionError(errorCodes.frameSize, `a ping of ${payload.length} bytes`);
    if ((flags & frameFlags.ack) !== 0) return;
    if (this.#parts.onPing(this.#streams.size > 0)) this.#out.frame(frameTypes.ping, frameFlags.ack, 0, payload);
    else throw new ConnectionError(errorCodes.enhanceYourCalm, 'too_many_pings');
  }

  #takeWindow(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionError(errorCodes.frameSize, `a window of ${payload.length} bytes`);
    const bytes = payload.readUInt32BE(0) & 0x7fff_ffff;
    if (id === 0) {
      this.sendWindow += bytes;
      if (bytes === 0 || this.sendWindow > WINDOW_BYTES_MAX) {
        throw new ConnectionError(bytes === 0 ? errorCodes.protocol : errorCodes.flowControl, 'a window of no use');
      }
      this.#windowsGrew();
      return;
    }
    const stream = this.#known(id);
    if (stream === undefined) return;
    stream.sendWindow += bytes;
    if (bytes === 0 || stream.sendWindow > WINDOW_BYTES_MAX) {
      stream.reset(bytes === 0 ? errorCodes.protocol : errorCodes.flowControl);
    } else if (stream.flush()) stream.events?.drained();
  }

  #windowsGrew(): void {
    for (const stream of [...this.#streams.values()]) {
      if (this.sendWindow <= 0) return;
      if (stream.flush()) stream.events?.drained();
    }
  }

  /** Undefined for one that is over. */
  #known(id: number): Stream | undefined {
    if (id === 0 || id > this.#lastStream) throw new ConnectionError(errorCodes.protocol, `there is no stream ${id}`);
    return this.#streams.get(id);
  }

  #fail(error: ConnectionError): void {
    this.#parts.onError(error);
    const farewell = new ByteWriter(64);
    farewell.u32(this.#lastStream);
    farewell.u32(error.code);
    farewell.bytes(Buffer.from(error.message, 'latin1'));
    this.#out.frame(frameTypes.goAway, 0, 0, farewell.finish());
    this.#out.flush();
    this.#close();
    this.#socket.end();
  }
}

const NOTHING: Buffer = Buffer.alloc(0);

function unpadded(flags: number, payload: Buffer): Buffer {
  if ((flags & frameFlags.padded) === 0) return payload;
  const padding = payload[0];
  if (padding === undefined || padding + 1 > payload.length) {
    throw new ConnectionError(errorCodes.protocol, 'more padding than frame');
  }
  return payload.subarray(1, payload.length - padding);
}
