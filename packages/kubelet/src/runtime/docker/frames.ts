// Docker multiplexes standard output and error of a container without a terminal: 8 bytes of header (stream number,
// three zeros, length), then the payload.

export type FrameStream = 'stdout' | 'stderr';

export interface Frame {
  readonly stream: FrameStream;
  readonly payload: Buffer;
}

const headerBytes = 8;
/** Docker cuts at 16 KiB for logs and 32 KiB for attach; far more than this is not the protocol. */
const frameBytesMax = 16 << 20;

/** @throws RangeError on a header that cannot be one */
export async function* frames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let offset = 0;
    while (pending.length - offset >= headerBytes) {
      const length = pending.readUInt32BE(offset + 4);
      const kind = pending[offset] ?? 0;
      if (kind > 3 || length > frameBytesMax)
        throw new RangeError(`Not a Docker stream header: ${kind}, ${length} bytes`);
      const end = offset + headerBytes + length;
      if (end > pending.length) break;
      yield { stream: kind === 2 ? 'stderr' : 'stdout', payload: pending.subarray(offset + headerBytes, end) };
      offset = end;
    }
    pending = pending.subarray(offset);
  }
}

/** Payloads of both streams in the order they came. */
export async function* payloads(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const frame of frames(chunks)) yield frame.payload;
}
