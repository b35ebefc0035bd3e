import type { Duplex } from 'node:stream';

/** A request as the core sees it; adapters for HTTP/1.1, HTTP/2 and tests make these. */
export interface ApiRequest {
  readonly method: string;
  /** As sent, percent-encoded, without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  header(name: string): string | undefined;
  /** All values of a header that may be repeated. */
  headers(name: string): readonly string[];
  /** Lower-case names of all headers. */
  headerNames(): Iterable<string>;
  /** @throws StatusError RequestEntityTooLarge */
  readBody(bytesMax: number): Promise<Buffer>;
  /** The body as it arrives, for requests that are passed on. */
  bodyStream(): AsyncIterable<Uint8Array>;
  readonly peer: Peer;
}

export interface Peer {
  readonly address: string;
  readonly certificate: PeerCertificate;
}

export type PeerCertificate =
  | { readonly kind: 'none' }
  /** Not signed by a CA we trust, or expired. */
  | { readonly kind: 'untrusted'; readonly reason: string }
  | { readonly kind: 'trusted'; readonly commonName: string; readonly organizations: readonly string[] };

export type Headers = Record<string, string | readonly string[]>;

/** Where a long response is written by pushing; `write` answers false when the connection is full. */
export interface StreamOutput {
  write(chunk: Uint8Array): boolean;
  end(): void;
  onDrain(listener: () => void): void;
}

export interface BytesResponse {
  readonly kind: 'bytes';
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Chunks are taken as fast as the connection drains; `sizeBytes` is known when all of them are. */
export interface ChunksResponse {
  readonly kind: 'chunks';
  readonly status: number;
  readonly headers: Headers;
  readonly chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** False for what is passed on from elsewhere and must arrive as it comes. */
  readonly compressible: boolean;
}

/** The core pushes until the output ends or the signal aborts. Headers are sent at once. */
export interface StreamResponse {
  readonly kind: 'stream';
  readonly status: number;
  readonly headers: Headers;
  run(output: StreamOutput, signal: AbortSignal): void;
}

/** The connection stops being HTTP: its bytes are joined to another one. Only for requests with an Upgrade header. */
export interface UpgradeResponse {
  readonly kind: 'upgrade';
  readonly status: 101;
  readonly headers: Headers;
  /** Takes the client's raw connection over; `head` is what already arrived after the request. */
  join(socket: Duplex, head: Uint8Array): void;
}

export type ApiResponse = BytesResponse | ChunksResponse | StreamResponse | UpgradeResponse;

/** The API server: everything that is not transport. Rejects only on defects; refusals are responses. */
export type Handle = (request: ApiRequest, signal: AbortSignal) => Promise<ApiResponse>;
