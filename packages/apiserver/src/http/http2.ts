import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { requestEntityTooLarge } from '@wherry/api';
import type { Logger } from '@wherry/daemon';
import type { ApiRequest, ApiResponse, Handle, Peer } from './exchange.ts';
import { peerOf } from './peer.ts';
import { connectionClosed, sendChunks, tooLargeText } from './sending.ts';

/** A request on an HTTP/2 stream. */
class Http2Request implements ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly peer: Peer;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    const target = String(headers[':path'] ?? '/');
    const mark = target.indexOf('?');
    this.method = String(headers[':method'] ?? 'GET');
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.query = mark === -1 ? '' : target.slice(mark + 1);
    this.peer = peerOf(stream.session?.socket as TLSSocket);
    this.#stream = stream;
    this.#headers = headers;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  headers(name: string): readonly string[] {
    const value = this.#headers[name];
    return value === undefined ? [] : Array.isArray(value) ? value : [value];
  }

  headerNames(): Iterable<string> {
    return Object.keys(this.#headers);
  }

  readBody(bytesMax: number): Promise<Buffer> {
    const stream = this.#stream;
    if (stream.endAfterHeaders) {
      return Promise.resolve(Buffer.alloc(0));
    }
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > bytesMax) {
          stream.removeAllListeners('data');
          stream.resume();
          reject(requestEntityTooLarge(tooLargeText(bytesMax)));
          return;
        }
        chunks.push(chunk);
      });
      stream.on('end', () =>
        resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
      );
      stream.on('error', reject);
      stream.on('aborted', () => reject(new Error('the client went away')));
    });
  }

  bodyStream(): AsyncIterable<Uint8Array> {
    return this.#stream;
  }
}

export function serveHttp2(
  handle: Handle,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  drain: AbortSignal,
  logger: Logger,
): void {
  const gone = new AbortController();
  stream.on('error', (error) => logger.debug({ err: error }, 'HTTP/2 stream failed'));
  stream.on('close', () => gone.abort(connectionClosed));
  const request = new Http2Request(stream, headers);
  handle(request, gone.signal).then(
    (response) => respond(stream, request, response, gone.signal, drain),
    (error: unknown) => {
      logger.error({ err: error }, 'request could not be answered');
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    },
  );
}

function respond(
  stream: ServerHttp2Stream,
  request: ApiRequest,
  response: ApiResponse,
  gone: AbortSignal,
  drain: AbortSignal,
): void {
  if (stream.destroyed || stream.closed) {
    return;
  }
  const headers = response.headers as Record<string, string | string[]>;
  const head = { ...headers, ':status': response.status };
  switch (response.kind) {
    case 'bytes':
      stream.respond({ ...head, 'content-length': String(response.body.length) });
      stream.end(request.method === 'HEAD' ? undefined : response.body);
      return;
    case 'chunks':
      stream.respond(head);
      sendChunks(response.chunks, stream);
      return;
    case 'stream':
      stream.respond(head);
      drain.addEventListener('abort', () => stream.end(), { once: true, signal: gone });
      response.run(
        {
          write: (chunk) => stream.write(chunk),
          end: () => void stream.end(),
          onDrain: (listener) => void stream.on('drain', listener),
        },
        gone,
      );
      return;
    case 'upgrade':
      // HTTP/2 has no Upgrade; clients use HTTP/1.1 for these.
      stream.respond({ ':status': 400 });
      stream.end();
  }
}
