// GET /containerLogs/{namespace}/{pod}/{container}
import type { ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Runtime } from '../runtime/port.ts';
import { HttpError } from './http-error.ts';
import { findContainer, loggedContainer, type PodDirectory } from './pod-lookup.ts';

function positive(query: URLSearchParams, name: string, min: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min)
    throw new HttpError(400, `invalid ${name}: "${text}" must be a whole number of at least ${min}`);
  return value;
}

function flag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text === 'true' || text === '1';
}

/** Passes so many bytes, then ends: what comes after is not wanted. */
function limit(bytes: number, done: () => void): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      if (left <= 0) {
        next();
        return;
      }
      const part = chunk.subarray(0, left);
      left -= part.length;
      this.push(part);
      if (left <= 0) done();
      next();
    },
  });
}

export interface LogsRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly query: URLSearchParams;
  readonly nowMs: number;
}

export async function serveLogs(
  request: LogsRequest,
  directory: PodDirectory,
  runtime: Runtime,
  response: ServerResponse,
): Promise<void> {
  const { query } = request;
  const tailLines = positive(query, 'tailLines', 0);
  const limitBytes = positive(query, 'limitBytes', 1);
  const sinceSeconds = positive(query, 'sinceSeconds', 1);
  const sinceTime = query.get('sinceTime');
  const sinceMs =
    sinceSeconds !== undefined ? request.nowMs - sinceSeconds * 1000 : sinceTime ? Date.parse(sinceTime) : undefined;
  if (sinceMs !== undefined && Number.isNaN(sinceMs)) throw new HttpError(400, `invalid sinceTime: "${sinceTime}"`);
  const found = findContainer(directory, request.namespace, request.pod, request.container);
  const container = loggedContainer(found, flag(query, 'previous'));
  const controller = new AbortController();
  response.on('close', () => controller.abort());
  const follow = flag(query, 'follow') && container.phase === 'running';
  const options = { follow, timestamps: flag(query, 'timestamps'), tailLines, sinceMs };
  const logs = await runtime.logs(container.id, options, controller.signal);
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
  // A follower must learn at once that the request was accepted.
  response.flushHeaders();
  const limited = limitBytes === undefined ? undefined : limit(limitBytes, () => logs.destroy());
  try {
    if (limited === undefined) await pipeline(logs, response);
    else await pipeline(logs, limited, response);
  } catch (error) {
    // The reader left, or the limit is reached: both are an end, not a failure.
    if (!response.writableEnded && !response.destroyed) response.end();
    if (
      !controller.signal.aborted &&
      !(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')
    )
      throw error;
  }
}
