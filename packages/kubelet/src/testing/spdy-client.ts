import { Duplex } from 'node:stream';
import { dataHead, FrameReader, ping, synStream } from '../server/spdy/frames.ts';
import { HeaderReader, HeaderWriter } from '../server/spdy/header-blocks.ts';

/** What a stream of the server sent until its end or reset. */
export interface Heard {
  readonly text: string;
  readonly reset: boolean;
}

/** The client's side, as kubectl has it: opens streams, sends, and hears until the end. */
export class SpdyTestClient {
  readonly #transport: Duplex;
  readonly #headersOut = new HeaderWriter();
  readonly #headersIn = new HeaderReader();
  readonly #heard = new Map<number, { parts: Buffer[]; done: PromiseWithResolvers<Heard> }>();
  #nextId = 1;
  pings = 0;

  constructor(transport: Duplex) {
    this.#transport = transport;
    this.#read().catch(() => undefined);
  }

  /** @returns the stream's number */
  async open(headers: Readonly<Record<string, string>>): Promise<number> {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#heard.set(id, { parts: [], done: Promise.withResolvers<Heard>() });
    this.#transport.write(synStream(id, await this.#headersOut.write(new Map(Object.entries(headers)))));
    return id;
  }

  send(id: number, text: string, fin = false): void {
    const payload = Buffer.from(text);
    this.#transport.write(Buffer.concat([dataHead(id, payload.length, fin), payload]));
  }

  ping(): void {
    this.#transport.write(ping(1));
  }

  heard(id: number): Promise<Heard> {
    const stream = this.#heard.get(id);
    if (stream === undefined) throw new Error(`stream ${id} was never opened`);
    return stream.done.promise;
  }

  leave(): void {
    this.#transport.destroy();
  }

  async #read(): Promise<void> {
    const reader = new FrameReader();
    for await (const chunk of this.#transport as AsyncIterable<Buffer>) {
      for (const frame of reader.push(chunk)) {
        if (frame.kind === 'ping') this.pings += 1;
        if (frame.kind === 'headers') await this.#headersIn.read(frame.headers);
        if (frame.kind === 'reset') this.#settle(frame.streamId, true);
        if (frame.kind !== 'data') continue;
        this.#heard.get(frame.streamId)?.parts.push(frame.payload);
        if (frame.fin) this.#settle(frame.streamId, false);
      }
    }
  }

  #settle(id: number, reset: boolean): void {
    const stream = this.#heard.get(id);
    stream?.done.resolve({ text: Buffer.concat(stream.parts).toString(), reset });
  }
}

/** Bytes inside binary messages of a WebSocket, seen from the client: a mask of zeros leaves them as they are. */
export function webSocketMessages(socket: Duplex): Duplex {
  let held = Buffer.alloc(0);
  const messages = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      const head = Buffer.alloc(8);
      head.set([0x82, 0x80 | 126]);
      head.writeUInt16BE(chunk.length, 2);
      socket.write(Buffer.concat([head, chunk]), done);
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      const short = (held[1] ?? 0) & 0x7f;
      const start = short === 126 ? 4 : 2;
      if (held.length < start) return;
      const end = start + (short === 126 ? held.readUInt16BE(2) : short);
      if (held.length < end) return;
      messages.push(held.subarray(start, end));
      held = held.subarray(end);
    }
  });
  socket.on('close', () => messages.push(null));
  return messages;
}
