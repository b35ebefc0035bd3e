/** One request to the API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, for example `/api/v1/pods?limit=500`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** For what comes in numbers or lasts, and only reads: may share one connection with others of its kind. */
  readonly multiplexed?: boolean;
}

export interface ApiResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body as it arrives; read once, or left unread by aborting the request's signal. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** How requests reach an API server: over HTTP, or straight into one in the same process (tests, simulation). */
export interface Transport {
  /** Rejects only when no response came; any status is a response. */
  request(request: ApiRequest): Promise<ApiResponse>;
  close(): Promise<void>;
}

/** Largest body that is read as a whole: a full list of a big cluster fits, a runaway server does not. */
const BODY_BYTES_MAX = 1024 * 1024 * 1024;

export async function readBody(response: ApiResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > BODY_BYTES_MAX) throw new Error(`Response body is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}
