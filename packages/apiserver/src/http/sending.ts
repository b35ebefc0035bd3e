import type { Writable } from 'node:stream';

/** Why a request's signal aborts; one for all, since making an error with its stack for each request costs. */
export const connectionClosed = new Error('the connection was closed');

/** Upstream's words for a body beyond the limit. */
export function tooLargeText(bytesMax: number): string {
  return `limit is ${bytesMax}`;
}

/** Writes chunks as fast as the connection drains; a failing source cuts the connection, so nobody takes half for all. */
export function sendChunks(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, output: Writable): void {
  send(chunks, output).catch((error: unknown) => output.destroy(error as Error));
}

async function send(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, output: Writable): Promise<void> {
  for await (const chunk of chunks) {
    if (output.destroyed) {
      return;
    }
    if (!output.write(chunk)) {
      await drained(output);
    }
  }
  output.end();
}

function drained(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      output.off('drain', done);
      output.off('close', done);
      resolve();
    };
    output.on('drain', done);
    output.on('close', done);
  });
}
