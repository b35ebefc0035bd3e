import { connect } from 'node:http2';
import { duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Connection } from './connection.ts';
import { errorCodes, frameFlags, frameTypes, PREFACE } from './frames.ts';
import { encodeHeaders } from './hpack.ts';
import type { Stream } from './stream.ts';

const OK = encodeHeaders([[':status', '200']]);
const TRAILERS = encodeHeaders([['grpc-status', '0']]);
const GET = Buffer.from([0x82, 0x86, 0x84]);

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A raw client: what it sends is given byte by byte, what it gets is cut into frames. */
class RawClient {
  readonly streams: Stream[] = [];
  readonly errors: Error[] = [];
  readonly #socket;
  #bytes: Buffer = Buffer.alloc(0);
  nowMs = 0;
  pingsAllowed = true;

  constructor(serve: (stream: Stream) => void = () => undefined, windowBytes?: number) {
    const [here, there] = duplexPair();
    this.#socket = here;
    here.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
    });
    here.on('error', () => undefined);
    new Connection(there, {
      onStream: (stream) => {
        this.streams.push(stream);
        serve(stream);
      },
      onPing: () => this.pingsAllowed,
      onError: (error) => this.errors.push(error),
      nowMs: () => this.nowMs,
    });
    const settings =
      windowBytes === undefined ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0, 4]), u32(windowBytes)]);
    here.write(Buffer.concat([PREFACE, frame(frameTypes.settings, 0, 0, settings)]));
  }

  async send(...frames: readonly Buffer[]): Promise<Frame[]> {
    for (const bytes of frames) this.#socket.write(bytes);
    for (let i = 0; i < 5; i++) await turn();
    return this.take();
  }

  take(): Frame[] {
    const frames: Frame[] = [];
    while (this.#bytes.length >= 9) {
      const end = 9 + this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < end) break;
      frames.push({
        type: this.#bytes[3] ?? 0,
        flags: this.#bytes[4] ?? 0,
        stream: this.#bytes.readUInt32BE(5),
        payload: this.#bytes.subarray(9, end),
      });
      this.#bytes = this.#bytes.subarray(end);
    }
    return frames;
  }

  /** The code the connection was ended with. */
  async farewell(...frames: readonly Buffer[]): Promise<number | undefined> {
    const got = await this.send(...frames);
    return got.find(({ type }) => type === frameTypes.goAway)?.payload.readUInt32BE(4);
  }
}

const request = (id: number, flags = frameFlags.endHeaders | frameFlags.endStream) =>
  frame(frameTypes.headers, flags, id, GET);

/** Takes data and answers nothing. */
const quiet = (stream: Stream) => {
  stream.events = { data: () => 0, ended: () => undefined, drained: () => undefined, closed: () => undefined };
};

describe('a connection', () => {
  it.each<[string, readonly Buffer[], number]>([
    ['a frame too large', [Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1])], errorCodes.frameSize],
    ['data on a stream that is none', [frame(frameTypes.data, 0, 1)], errorCodes.protocol],
    ['a reset of a stream that is none', [frame(frameTypes.reset, 0, 1, u32(8))], errorCodes.protocol],
    ['a stream of the other side', [request(2)], errorCodes.protocol],
    ['a push', [frame(frameTypes.pushPromise, 0, 1)], errorCodes.protocol],
    ['a continuation of nothing', [frame(frameTypes.continuation, 4, 1)], errorCodes.protocol],
    [
      'a block that is broken off',
      [frame(frameTypes.headers, 0, 1, GET), frame(frameTypes.ping, 0, 0, Buffer.alloc(8))],
      errorCodes.protocol,
    ],
    ['headers that cannot be read', [frame(frameTypes.headers, 4, 1, Buffer.from([0x80]))], errorCodes.compression],
    [
      'too much padding',
      [request(1, frameFlags.endHeaders), frame(frameTypes.data, frameFlags.padded, 1, Buffer.from([9, 1]))],
      errorCodes.protocol,
    ],
    ['a window that grows by nothing', [frame(frameTypes.windowUpdate, 0, 0, u32(0))], errorCodes.protocol],
    ['a window that grows too large', [frame(frameTypes.windowUpdate, 0, 0, u32(2 ** 31 - 1))], errorCodes.flowControl],
    [
      'an initial window too large',
      [frame(frameTypes.settings, 0, 0, Buffer.from([0, 4, 0xff, 0, 0, 0]))],
      errorCodes.flowControl,
    ],
    ['half a setting', [frame(frameTypes.settings, 0, 0, Buffer.from([0, 4, 0]))], errorCodes.frameSize],
    ['half a ping', [frame(frameTypes.ping, 0, 0, u32(1))], errorCodes.frameSize],
  ])('ends for %s', async (_, frames, code) => {
    expect(await new RawClient(quiet).farewell(...frames)).toBe(code);
  });

  it('ends for what is no HTTP/2', async () => {
    const [here, there] = duplexPair();
    const errors: Error[] = [];
    new Connection(there, {
      onStream: () => undefined,
      onPing: () => true,
      onError: (error) => errors.push(error),
      nowMs: () => 0,
    });
    here.write('GET / HTTP/1.1\r\n');
    for (let i = 0; i < 5; i++) await turn();
    expect(errors[0]?.message).toBe('it does not speak HTTP/2');
  });

  it('ends for pings that come too often, and answers the others', async () => {
    const client = new RawClient();
    const ping = frame(frameTypes.ping, 0, 0, Buffer.from('12345678'));
    const pong = (await client.send(ping)).find(({ type }) => type === frameTypes.ping);
    expect([pong?.flags, pong?.payload.toString()]).toEqual([frameFlags.ack, '12345678']);
    client.pingsAllowed = false;
    const bye = (await client.send(ping)).find(({ type }) => type === frameTypes.goAway);
    expect([bye?.payload.readUInt32BE(4), bye?.payload.subarray(8).toString()]).toEqual([11, 'too_many_pings']);
  });

  it('ends for streams that are opened only to be broken off', async () => {
    const client = new RawClient(quiet);
    const storm = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => [
        request(from + 2 * i, frameFlags.endHeaders),
        frame(frameTypes.reset, 0, from + 2 * i, u32(8)),
      ]).flat();
    expect(await client.farewell(Buffer.concat(storm(1, 900)))).toBeUndefined();
    // Time forgives: a hundred a second are nobody's harm.
    client.nowMs += 5000;
    expect(await client.farewell(Buffer.concat(storm(5001, 500)))).toBeUndefined();
    expect(await client.farewell(Buffer.concat(storm(9001, 500)))).toBe(errorCodes.enhanceYourCalm);
  });

  it('never crashes, whatever comes', async () => {
    const any = fc.record({
      type: fc.nat(10),
      flags: fc.constantFrom(0, 1, 4, 5, 8, 32, 45),
      stream: fc.nat(5),
      payload: fc.uint8Array({ maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(any, { maxLength: 12 }), async (frames) => {
        const client = new RawClient((stream) => {
          quiet(stream);
          stream.sendHeaders(OK, false);
        });
        await client.send(...frames.map(({ type, flags, stream, payload }) => frame(type, flags, stream, payload)));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a stream', () => {
  it('sends no more than the windows allow, and goes on when they grow', async () => {
    const client = new RawClient((stream) => {
      quiet(stream);
      stream.sendHeaders(OK, false);
      stream.sendData(Buffer.alloc(50, 7));
      stream.sendTrailers(TRAILERS);
    }, 20);
    const data = (frames: readonly Frame[]) =>
      frames.filter(({ type }) => type === frameTypes.data).reduce((sum, { payload }) => sum + payload.length, 0);
    expect(data(await client.send(request(1)))).toBe(20);
    expect(client.streams[0]?.waitingBytes).toBe(30);
    expect(data(await client.send(frame(frameTypes.windowUpdate, 0, 1, u32(25))))).toBe(25);
    const last = await client.send(frame(frameTypes.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), u32(100)])));
    expect(data(last)).toBe(5);
    expect(last.at(-1)).toMatchObject({ type: frameTypes.headers, flags: 5, stream: 1 });
    expect(client.streams[0]?.closed).toBe(true);
  });

  it('is told when what had to wait is gone', async () => {
    let drained = 0;
    const client = new RawClient((stream) => {
      quiet(stream);
      stream.events = { data: () => 0, ended: () => undefined, drained: () => drained++, closed: () => undefined };
      stream.sendHeaders(OK, false);
      stream.sendData(Buffer.alloc(30));
    }, 20);
    await client.send(request(1));
    expect(drained).toBe(0);
    await client.send(frame(frameTypes.windowUpdate, 0, 1, u32(5)));
    expect(drained).toBe(0);
    await client.send(frame(frameTypes.windowUpdate, 0, 1, u32(5)));
    expect(drained).toBe(1);
  });

  it('tells a client that goes on sending to stop, without an error', async () => {
    const client = new RawClient((stream) => {
      quiet(stream);
      stream.sendHeaders(OK, true);
    });
    const got = await client.send(request(1, frameFlags.endHeaders));
    expect(got.at(-1)).toMatchObject({ type: frameTypes.reset, stream: 1, payload: u32(errorCodes.none) });
    // What was on its way is of no harm.
    expect(await client.farewell(frame(frameTypes.data, 1, 1, Buffer.alloc(10)))).toBeUndefined();
  });

  it('is refused beyond the number that may be open', async () => {
    const client = new RawClient(quiet);
    const many = Array.from({ length: 8193 }, (_, i) => request(1 + 2 * i, frameFlags.endHeaders));
    const got = await client.send(Buffer.concat(many));
    const refused = got.filter(({ type }) => type === frameTypes.reset);
    expect(refused).toMatchObject([{ stream: 1 + 2 * 8192, payload: u32(errorCodes.refusedStream) }]);
  });

  it('takes headers in several frames, with padding and priority', async () => {
    const client = new RawClient(quiet);
    const block = encodeHeaders([
      [':path', '/x'],
      ['long', 'y'.repeat(300)],
    ]);
    const first = Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 9]), block.subarray(0, 100), Buffer.alloc(3)]);
    await client.send(
      frame(frameTypes.headers, frameFlags.padded | frameFlags.priority, 1, first),
      frame(frameTypes.continuation, 0, 1, block.subarray(100, 200)),
      frame(frameTypes.continuation, frameFlags.endHeaders, 1, block.subarray(200)),
    );
    expect(client.streams[0]?.headers.get(':path')).toBe('/x');
    expect(client.streams[0]?.headers.get('long')).toHaveLength(300);
  });

  it('carries much both ways to a client of another make', async () => {
    const [here, there] = duplexPair();
    new Connection(there, {
      onStream: (stream) => {
        const parts: Buffer[] = [];
        stream.events = {
          data(chunk) {
            parts.push(Buffer.from(chunk));
            return 0;
          },
          ended() {
            stream.sendHeaders(OK, false);
            stream.sendData(Buffer.concat(parts));
            stream.sendTrailers(TRAILERS);
          },
          drained: () => undefined,
          closed: () => undefined,
        };
      },
      onPing: () => true,
      onError: () => undefined,
      nowMs: () => 0,
    });
    const session = connect('http://there', { createConnection: () => here, maxSessionMemory: 1000 });
    const echo = (bytes: Buffer) =>
      new Promise<{ readonly body: Buffer; readonly trailers: unknown }>((resolve, reject) => {
        const stream = session.request({ ':method': 'POST', ':path': '/', 'x-header': 'ä'.repeat(20) });
        const chunks: Buffer[] = [];
        let trailers: unknown;
        stream.on('trailers', (got) => {
          trailers = got['grpc-status'];
        });
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('error', reject);
        stream.on('end', () => resolve({ body: Buffer.concat(chunks), trailers }));
        stream.end(bytes);
      });
    const bodies = [0, 1, 100, 70_000, 3_000_000, 12_000_000].map((size) => Buffer.alloc(size, size));
    const echoes = await Promise.all(bodies.map(echo));
    for (const [i, { body, trailers }] of echoes.entries()) {
      expect(body.equals(bodies[i] ?? Buffer.alloc(0)), String(bodies[i]?.length)).toBe(true);
      expect(trailers).toBe('0');
    }
    session.destroy();
  });
});
