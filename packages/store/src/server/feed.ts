import type { Duplex } from 'node:stream';
import type { Logger } from '@wherry/daemon';
import { MalformedBytes } from '../schema/bytes.ts';
import { FrameReader, type OnFrame } from '../schema/frames.ts';

/** Cuts what a stream receives into frames; one that sends anything else is closed. @param after each chunk */
export function feedFrames(
  stream: Duplex,
  bytesMax: number,
  logger: Logger,
  onFrame: OnFrame,
  after?: () => void,
): void {
  const frames = new FrameReader(bytesMax, onFrame);
  stream.on('data', (chunk: Buffer) => {
    try {
      frames.push(chunk);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      logger.warn({ err: error }, 'connection closed: it sent bytes that are no frames');
      stream.destroy();
      return;
    }
    after?.();
  });
}
