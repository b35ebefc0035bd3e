import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import type { ApiRequest, ApiResponse } from './exchange.ts';

/** Smaller answers are not worth it (upstream's limit). */
const COMPRESS_BYTES_MIN = 128 * 1024;
/** Upstream's choice as well: the fastest. */
const level = constants.Z_BEST_SPEED;

const gzipAsync = promisify(gzip);

/** Compresses large lists and objects for clients that ask for it; streams are never compressed. */
export async function compress(request: ApiRequest, response: ApiResponse): Promise<ApiResponse> {
  if (response.kind === 'stream' || response.kind === 'upgrade' || response.headers['content-encoding'] !== undefined) {
    return response;
  }
  if (response.kind === 'bytes') {
    if (response.body.length < COMPRESS_BYTES_MIN || !acceptsGzip(request)) {
      return response;
    }
    const body = await gzipAsync(response.body, { level });
    return { ...response, headers: { ...response.headers, 'content-encoding': 'gzip' }, body };
  }
  if (!response.compressible || !acceptsGzip(request)) {
    return response;
  }
  const compressed = Readable.from(response.chunks, { objectMode: false }).pipe(createGzip({ level }));
  return { ...response, headers: { ...response.headers, 'content-encoding': 'gzip' }, chunks: compressed };
}

function acceptsGzip(request: ApiRequest): boolean {
  return request.header('accept-encoding')?.includes('gzip') ?? false;
}
