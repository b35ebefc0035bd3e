import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { requestEntityTooLarge } from '@wherry/api';
import type { Logger } from '@wherry/daemon';
import type { ApiRequest, ApiResponse, Handle, Peer } from './exchange.ts';
import { peerOf } from './peer.ts';
import { connectionClosed, sendChunks, tooLargeText } from './sending.ts';

/** A request of HTTP/1.1. */
export class Http1Request implements ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly peer: Peer;
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage) {
    const target = message.url ?? '/';
    const mark = target.indexOf('?');
    this.method = message.method ?? 'GET';
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.query = mark === -1 ? '' : target.slice(mark + 1);
    this.peer = peerOf(message.socket as TLSSocket);
    this.#message = message;
  }

  header(name: string): string | undefined {
    const value = this.#message.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  headers(name: string): readonly string[] {
    return this.#message.headersDistinct[name] ?? [];
  }

  headerNames(): Iterable<string> {
    return Object.keys(this.#message.headers);
  }

  async readBody(bytesMax: number): Promise<Buffer> {
    const message = this.#message;
    const { 'content-length': declared, 'transfer-encoding': encoding } = message.headers;
    if (declared === undefined && encoding === undefined) {
      return Buffer.alloc(0);
    }
    if (Number(declared ?? 0) > bytesMax) {
      message.resume();
      throw requestEntityTooLarge(tooLargeText(bytesMax));
    }
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of message as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > bytesMax) {
        throw requestEntityTooLarge(tooLargeText(bytesMax));
      }
      chunks.push(chunk);
    }
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  }

  bodyStream(): AsyncIterable<Uint8Array> {
    return this.#message;
  }
}

export function serveHttp1(
  handle: Handle,
  message: IncomingMessage,
  output: ServerResponse,
  drain: AbortSignal,
  logger: Logger,
): void {
  const gone = new AbortController();
  output.on('close', () => gone.abort(connectionClosed));
  output.on('error', (error) => logger.debug({ err: error }, 'HTTP/1.1 connection failed'));
  const request = new Http1Request(message);
  handle(request, gone.signal).then(
    (response) => respond(output, request, response, gone.signal, drain),
    (error: unknown) => {
      logger.error({ err: error }, 'request could not be answered');
      output.destroy();
    },
  );
}

function respond(
  output: ServerResponse,
  request: ApiRequest,
  response: ApiResponse,
  gone: AbortSignal,
  drain: AbortSignal,
): void {
  const headers = response.headers as Record<string, string | string[]>;
  switch (response.kind) {
    case 'bytes':
      output.writeHead(response.status, { ...headers, 'content-length': String(response.body.length) });
      output.end(request.method === 'HEAD' ? undefined : response.body);
      return;
    case 'chunks':
      output.writeHead(response.status, headers);
      sendChunks(response.chunks, output);
      return;
    case 'stream':
      output.writeHead(response.status, headers);
      // A watch may have nothing to say for long; the client must know at once that it stands.
      output.flushHeaders();
      drain.addEventListener('abort', () => output.end(), { once: true, signal: gone });
      response.run(
        {
          write: (chunk) => output.write(chunk),
          end: () => void output.end(),
          onDrain: (listener) => void output.on('drain', listener),
        },
        gone,
      );
      return;
    case 'upgrade':
      output.writeHead(400);
      output.end();
  }
}
