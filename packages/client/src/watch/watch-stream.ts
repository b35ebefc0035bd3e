import { type ApiObject, type Status, StatusError } from '@wherry/api';

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/** Longest line of a watch: an object is at most 1.5 MiB in the store. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Lines of a byte stream, without their newline. A last unfinished line is dropped: the stream was cut in it. */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const tail = chunk.subarray(start, end);
      yield pendingBytes === 0
        ? Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength)
        : Buffer.concat([...pending, tail]);
      pending = [];
      pendingBytes = 0;
      start = end + 1;
    }
    if (start < chunk.byteLength) {
      pending.push(chunk.subarray(start));
      pendingBytes += chunk.byteLength - start;
      if (pendingBytes > LINE_BYTES_MAX) throw new Error(`A watch event is larger than ${LINE_BYTES_MAX} bytes`);
    }
  }
}

/** @throws StatusError for an ERROR event */
export async function* watchEvents<T extends ApiObject>(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of lines(body)) {
    if (line.byteLength === 0) continue;
    const event = JSON.parse(line.toString('utf8')) as { type: WatchEvent<T>['type'] | 'ERROR'; object: T };
    if (event.type === 'ERROR') throw new StatusError(event.object as unknown as Status);
    yield { type: event.type, object: event.object };
  }
}
