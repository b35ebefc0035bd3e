import { duplexPair, Readable } from 'node:stream';
import { createDeflate } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { SpdyTestClient } from '../../testing/spdy-client.ts';
import { SpdyConnection, type SpdyStream } from './connection.ts';
import { headerDictionary } from './dictionary.ts';
import { CONTROL_BYTES_MAX, dataHead, type Frame, FrameReader, ping, reset, synStream } from './frames.ts';
import { HeaderReader, HeaderWriter } from './header-blocks.ts';

const read = (chunks: readonly Buffer[]): readonly Frame[] => {
  const reader = new FrameReader();
  return chunks.flatMap((chunk) => [...reader.push(chunk)]);
};

/** Parts of one data frame count as one, however the bytes were cut. */
function joined(frames: readonly Frame[]): readonly unknown[] {
  const all: unknown[] = [];
  let text = '';
  for (const frame of frames) {
    if (frame.kind !== 'data') all.push(frame);
    else if (frame.fin) {
      all.push({ streamId: frame.streamId, text: text + frame.payload.toString() });
      text = '';
    } else text += frame.payload.toString();
  }
  return all;
}

describe('frames', () => {
  const wire = Buffer.concat([
    synStream(1, Buffer.from('block')),
    dataHead(1, 5, false),
    Buffer.from('hello'),
    ping(7),
    dataHead(1, 6, true),
    Buffer.from(' world'),
    reset(3, 'cancel'),
    dataHead(5, 0, true),
  ]);
  const expected = [
    { kind: 'synStream', streamId: 1, fin: false, headers: Buffer.from('block') },
    { kind: 'ping', id: 7 },
    { streamId: 1, text: 'hello world' },
    { kind: 'reset', streamId: 3 },
    { streamId: 5, text: '' },
  ];

  it('are the same wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: wire.length })), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), wire.length];
        const chunks = places.slice(1).map((end, index) => wire.subarray(places[index], end));
        expect(joined(read(chunks))).toEqual(expected);
      }),
    );
  });

  it.each([
    ['another version', Buffer.from([0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1]), 'SPDY version 2'],
    ['an endless control frame', Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]), `at most ${CONTROL_BYTES_MAX}`],
    ['a frame without its number', Buffer.from([0x80, 3, 0, 6, 0, 0, 0, 1, 0]), 'too short'],
  ])('refuses %s', (_what, bytes, words) => {
    expect(() => read([bytes])).toThrow(words);
  });
});

describe('header blocks', () => {
  it('are compressed against the dictionary of SPDY/3', async () => {
    const compressed = createDeflate({ dictionary: headerDictionary }).end('x');
    const bytes = Buffer.concat(await Readable.from(compressed).toArray());
    expect(bytes.subarray(2, 6).toString('hex')).toBe('e3c6a7c2');
  });

  it('are read in the order in which they were written', async () => {
    const writer = new HeaderWriter();
    const reader = new HeaderReader();
    const blocks = [
      new Map([['streamtype', 'error']]),
      new Map(),
      new Map([
        ['port', '80'],
        ['streamtype', 'daten'],
      ]),
    ];
    for (const block of blocks) expect(await reader.read(await writer.write(block))).toEqual(block);
  });

  it('refuses garbage, and a block that grows without end', async () => {
    await expect(new HeaderReader().read(Buffer.from('garbage'))).rejects.toThrow('bad header block');
    const bomb = await new HeaderWriter().write(new Map([['x', 'x'.repeat(CONTROL_BYTES_MAX)]]));
    const outcome = await new HeaderReader().read(bomb).catch(({ message }: Error) => message);
    expect(outcome).toBe(`bad header block: more than ${CONTROL_BYTES_MAX} bytes`);
  });
});

describe('a connection', () => {
  function connect(onStream: (stream: SpdyStream) => void) {
    const [ours, theirs] = duplexPair();
    const connection = new SpdyConnection(ours, onStream);
    return { client: new SpdyTestClient(theirs), transport: theirs, ended: connection.run() };
  }

  it('carries streams both ways, side by side', async () => {
    const { client, ended } = connect((stream) => void stream.pipe(stream));
    const [one, other] = [await client.open({ name: 'one' }), await client.open({ name: 'other' })];
    client.send(one, 'a');
    client.send(other, 'b', true);
    client.send(one, 'c', true);
    client.ping();
    expect(await Promise.all([client.heard(one), client.heard(other)])).toEqual([
      { text: 'ac', reset: false },
      { text: 'b', reset: false },
    ]);
    expect(client.pings).toBe(1);
    client.leave();
    await ended;
  });

  it('resets a stream that nobody wants, and goes on', async () => {
    const { client } = connect((stream) => {
      if (stream.headers.get('name') === 'bad') throw new Error('no');
      stream.end('welcome');
    });
    expect(await client.heard(await client.open({ name: 'bad' }))).toEqual({ text: '', reset: true });
    expect(await client.heard(await client.open({ name: 'good' }))).toEqual({ text: 'welcome', reset: false });
    client.leave();
  });

  it('waits with everything while a stream is not read', async () => {
    const streams: SpdyStream[] = [];
    const { client, transport } = connect((stream) => void streams.push(stream));
    const id = await client.open({});
    const megabyte = 'x'.repeat(1 << 20);
    for (let count = 0; count < 8; count++) client.send(id, megabyte, count === 7);
    await vi.waitFor(() => expect(streams[0]?.readableLength).toBeGreaterThanOrEqual(1 << 20));
    const [stream] = streams;
    expect(stream?.readableLength).toBeLessThanOrEqual(3 << 20);
    expect(transport.writableLength).toBeGreaterThan(3 << 20);
    let length = 0;
    for await (const chunk of stream ?? []) length += chunk.length;
    expect(length).toBe(8 << 20);
    client.leave();
  });

  it('ends its streams with an error when the client is gone', async () => {
    const failures: string[] = [];
    const { client, ended } = connect((stream) => void stream.on('error', ({ message }) => failures.push(message)));
    const id = await client.open({});
    client.send(id, 'x');
    await new Promise((resolve) => setImmediate(resolve));
    client.leave();
    await ended.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toEqual(['the connection is closed']);
  });

  it('ends, and never throws past itself, whatever bytes come', async () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(bytes, fc.boolean(), async (noise, framed) => {
        const { transport, ended } = connect((stream) => void stream.resume());
        transport.write(framed ? synStream(1, Buffer.from(noise)) : noise);
        transport.end();
        await ended.catch((error: unknown) => expect(error).toMatchObject({ name: 'SpdyError' }));
      }),
    );
  });
});
