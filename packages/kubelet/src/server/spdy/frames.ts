// SPDY/3.1 frames, as far as streams of exec and port-forward need them. Pure: bytes in, frames out, and back.

export type Frame =
  /** A part of a data frame, as it comes; `fin` with the last part. */
  | { readonly kind: 'data'; readonly streamId: number; readonly payload: Buffer; readonly fin: boolean }
  | { readonly kind: 'synStream'; readonly streamId: number; readonly fin: boolean; readonly headers: Buffer }
  | { readonly kind: 'headers'; readonly headers: Buffer }
  | { readonly kind: 'reset'; readonly streamId: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'goAway' }
  /** Settings and windows: the clients that speak SPDY to kubelets know no flow control of streams. */
  | { readonly kind: 'ignored' };

export class SpdyError extends Error {
  override readonly name = 'SpdyError';
}

const HEAD_BYTES = 8;
const VERSION = 3;
const FLAG_FIN = 1;
/** Of a control frame; the largest are header blocks of a few hundred bytes. */
export const CONTROL_BYTES_MAX = 65_536;
const ID_MASK = 0x7fff_ffff;

const types = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7, headers: 8 } as const;

/** Cuts a byte stream into frames. Data is handed on in parts, so only control frames are ever held. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);
  #data: { readonly streamId: number; readonly fin: boolean; left: number } | undefined;

  /** @throws SpdyError when the bytes are no SPDY/3.1 */
  *push(chunk: Buffer): Generator<Frame> {
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      if (this.#data !== undefined) {
        if (bytes.length === 0) break;
        const payload = bytes.subarray(0, this.#data.left);
        bytes = bytes.subarray(payload.length);
        yield this.#part(this.#data, payload);
        continue;
      }
      if (bytes.length < HEAD_BYTES) break;
      const length = bytes.readUIntBE(5, 3);
      if ((bytes[0] ?? 0) < 0x80) {
        const data = { streamId: bytes.readUInt32BE(0), fin: ((bytes[4] ?? 0) & FLAG_FIN) !== 0, left: length };
        bytes = bytes.subarray(HEAD_BYTES);
        if (length === 0) yield this.#part(data, bytes.subarray(0, 0));
        else this.#data = data;
        continue;
      }
      if (length > CONTROL_BYTES_MAX) {
        throw new SpdyError(`a control frame of ${length} bytes; at most ${CONTROL_BYTES_MAX} are accepted`);
      }
      if (bytes.length < HEAD_BYTES + length) break;
      const frame = control(bytes.subarray(0, HEAD_BYTES + length));
      bytes = bytes.subarray(HEAD_BYTES + length);
      yield frame;
    }
    // A copy: the chunk's memory belongs to the socket.
    this.#held = Buffer.from(bytes);
  }

  #part(data: { readonly streamId: number; readonly fin: boolean; left: number }, payload: Buffer): Frame {
    data.left -= payload.length;
    const last = data.left === 0;
    if (last) this.#data = undefined;
    return { kind: 'data', streamId: data.streamId, payload, fin: last && data.fin };
  }
}

function control(bytes: Buffer): Frame {
  const version = bytes.readUInt16BE(0) & 0x7fff;
  if (version !== VERSION) throw new SpdyError(`SPDY version ${version}; only ${VERSION} is spoken here`);
  const fin = ((bytes[4] ?? 0) & FLAG_FIN) !== 0;
  const payload = bytes.subarray(HEAD_BYTES);
  const id = (): number => {
    if (payload.length < 4) throw new SpdyError('a control frame is too short');
    return payload.readUInt32BE(0) & ID_MASK;
  };
  switch (bytes.readUInt16BE(2)) {
    case types.synStream:
      if (payload.length < 10) throw new SpdyError('a SYN_STREAM frame is too short');
      return { kind: 'synStream', streamId: id(), fin, headers: payload.subarray(10) };
    case types.synReply:
    case types.headers:
      // Nobody waits for them, but they move the compression's state.
      return { kind: 'headers', headers: payload.subarray(4) };
    case types.reset:
      return { kind: 'reset', streamId: id() };
    case types.ping:
      return { kind: 'ping', id: id() };
    case types.goAway:
      return { kind: 'goAway' };
    default:
      return { kind: 'ignored' };
  }
}

function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES + payload.length);
  frame.writeUInt16BE(0x8000 | VERSION, 0);
  frame.writeUInt16BE(type, 2);
  frame.writeUInt8(flags, 4);
  frame.writeUIntBE(payload.length, 5, 3);
  payload.copy(frame, HEAD_BYTES);
  return frame;
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}

export function dataHead(streamId: number, length: number, fin: boolean): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt8(fin ? FLAG_FIN : 0, 4);
  head.writeUIntBE(length, 5, 3);
  return head;
}

export const synStream = (streamId: number, headers: Buffer, fin = false): Buffer =>
  controlFrame(types.synStream, fin ? FLAG_FIN : 0, Buffer.concat([numbers(streamId, 0), Buffer.alloc(2), headers]));
export const synReply = (streamId: number, headers: Buffer): Buffer =>
  controlFrame(types.synReply, 0, Buffer.concat([numbers(streamId), headers]));
export const ping = (id: number): Buffer => controlFrame(types.ping, 0, numbers(id));
export const goAway = (lastStreamId: number): Buffer => controlFrame(types.goAway, 0, numbers(lastStreamId, 0));

const resetReasons = { protocolError: 1, refusedStream: 3, cancel: 5 } as const;
export const reset = (streamId: number, reason: keyof typeof resetReasons): Buffer =>
  controlFrame(types.reset, 0, numbers(streamId, resetReasons[reason]));
