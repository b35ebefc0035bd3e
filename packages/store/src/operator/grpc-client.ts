import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { MessageReader, PREFIX_BYTES } from '../grpc/messages.ts';
import { ByteReader, ByteWriter } from '../schema/bytes.ts';
import { type Codec, NO_FACTS } from '../schema/codec.ts';
import { RESPONSE_BYTES_MAX } from '../schema/limits.ts';

export interface Endpoint {
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const CONNECT_MS_MAX = 5_000;

/** A call that the store refused, in its words. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly code: number;

  constructor(code: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Enough of a gRPC client for an operator's commands; for one connection and a few calls. */
export class GrpcClient {
  readonly #session: ClientHttp2Session;
  readonly url: string;
  #failure: Error | undefined;

  constructor({ url, ca, cert, key }: Endpoint) {
    this.url = url;
    this.#session = connect(url, { ca, cert, key, minVersion: 'TLSv1.3', timeout: CONNECT_MS_MAX });
    this.#session.on('error', (error) => {
      this.#failure = error;
    });
  }

  async unary<Q extends object, R>(path: string, request: Codec<Q>, made: Q, response: Codec<R>): Promise<R> {
    let answer: R | undefined;
    await this.stream(path, request, made, (message) => {
      answer = response.read(new ByteReader(message));
    });
    if (answer === undefined) throw new CallFailed(constants.NGHTTP2_INTERNAL_ERROR, `${this.url} sent no answer`);
    return answer;
  }

  /** Calls `onMessage` for each message of the answer, waiting for what it returns. */
  async stream<Q extends object>(
    path: string,
    request: Codec<Q>,
    made: Q,
    onMessage: (message: Buffer) => void | Promise<void>,
  ): Promise<void> {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': `/etcdserverpb.${path}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: { readonly code: number; readonly message: string } | undefined;
    const note = (headers: Readonly<Record<string, unknown>>) => {
      if (headers['grpc-status'] === undefined) return;
      const message = decodeURIComponent(String(headers['grpc-message'] ?? ''));
      status = { code: Number(headers['grpc-status']), message };
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.end(encodeRequest(request, made));
    const reader = new MessageReader(RESPONSE_BYTES_MAX);
    try {
      for await (const chunk of stream) {
        const messages: Buffer[] = [];
        reader.push(chunk as Buffer, (message) => messages.push(message));
        for (const message of messages) await onMessage(message);
      }
    } catch (cause) {
      const { message } = this.#failure ?? (cause as Error);
      throw new CallFailed(0, `Cannot reach ${this.url}: ${message}`, cause);
    }
    if (status === undefined)
      throw new CallFailed(0, `${this.url} broke off: ${this.#failure?.message ?? 'no status'}`);
    if (status.code !== 0) throw new CallFailed(status.code, status.message);
  }

  close(): void {
    this.#session.destroy();
  }
}

function encodeRequest<Q>(codec: Codec<Q>, made: Q): Buffer {
  const writer = new ByteWriter(64);
  writer.u8(0);
  writer.u32(0);
  codec.write(writer, made, NO_FACTS);
  writer.u32At(1, writer.length - PREFIX_BYTES);
  return writer.finish();
}
