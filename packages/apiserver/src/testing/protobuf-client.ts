import { mediaTypes } from '../http/negotiate.ts';
import { decodeProtobuf } from '../http/protobuf/decode.ts';
import { encodeObject } from '../http/protobuf/encode.ts';
import { Reader } from '../http/protobuf/reader.ts';
import type { Peek, TestResponse, TestServer } from './test-server.ts';

interface ProtobufAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly bytes: Buffer;
  /** The decoded body; compare it with toMatchObject. */
  readonly object: Peek;
}

interface ProtobufWatch {
  readonly contentType: string;
  next(): Promise<{ readonly type: string; readonly object: Peek }>;
  close(): void;
}

/** Speaks to a server as client-go does for built-in kinds: protobuf in both directions. */
export class ProtobufClient {
  readonly #server: TestServer;

  constructor(server: TestServer) {
    this.#server = server;
  }

  async request(method: string, target: string, body?: object, accept = mediaTypes.protobuf): Promise<ProtobufAnswer> {
    const response = await this.#server.request(method, target, {
      headers: { accept },
      ...(body === undefined ? {} : { rawBody: encodeObject(body), contentType: mediaTypes.protobuf }),
    });
    return answerOf(response);
  }

  async watch(target: string, accept = mediaTypes.protobuf): Promise<ProtobufWatch> {
    const response = await this.#server.handle('GET', target, { headers: { accept } });
    if (response.kind !== 'stream') {
      throw new Error(`No watch but ${response.status}`);
    }
    const frames = new Frames();
    const controller = new AbortController();
    const output = { write: (chunk: Uint8Array) => frames.add(chunk), end: () => {}, onDrain: () => {} };
    response.run(output, controller.signal);
    return {
      contentType: String(response.headers['content-type']),
      next: async () => eventOf(await frames.next()),
      close: () => controller.abort(),
    };
  }
}

function answerOf(response: TestResponse): ProtobufAnswer {
  const contentType = String(response.headers['content-type']);
  const object = contentType === mediaTypes.protobuf ? decodeProtobuf(response.bytes) : response.json;
  return { status: response.status, contentType, bytes: response.bytes, object: object as Peek };
}

/** A WatchEvent: its type, and a RawExtension whose content is a whole body. */
function eventOf(frame: Buffer): { type: string; object: Peek } {
  const type = bytesOf(frame, 1).toString();
  return { type, object: decodeProtobuf(bytesOf(bytesOf(frame, 2), 1)) as Peek };
}

function bytesOf(message: Buffer, field: number): Buffer {
  const reader = new Reader(message);
  while (reader.at < message.length) {
    reader.next(message.length);
    const end = reader.open(message.length);
    if (reader.field === field) {
      return message.subarray(reader.at, end);
    }
    reader.at = end;
  }
  throw new Error(`No field ${field} in ${message.toString('hex')}`);
}

/** Cuts a stream into what its four-byte lengths say. */
class Frames {
  #rest = Buffer.alloc(0);
  readonly #found: Buffer[] = [];
  readonly #waiting: ((frame: Buffer) => void)[] = [];

  add(chunk: Uint8Array): boolean {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4 && this.#rest.length >= 4 + this.#rest.readUInt32BE(0)) {
      const end = 4 + this.#rest.readUInt32BE(0);
      this.#deliver(this.#rest.subarray(4, end));
      this.#rest = this.#rest.subarray(end);
    }
    return true;
  }

  #deliver(frame: Buffer): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) {
      this.#found.push(frame);
    } else {
      waiter(frame);
    }
  }

  next(): Promise<Buffer> {
    const frame = this.#found.shift();
    return frame === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(frame);
  }
}
