import type { NodeId } from '../raft/types.ts';
import { type ByteReader, ByteWriter } from '../schema/bytes.ts';
import { beginFrame, endFrame } from '../schema/frames.ts';

/** What passes between members, in the frames of `schema/frames.ts`; the id is not used. */
export const peerFrames = {
  /** First frame of a connection. */
  hello: 1,
  message: 2,
  /** A snapshot follows on this connection: announcing message, chunks, end; answered by `snapshotDone`. */
  snapshotBegin: 3,
  snapshotChunk: 4,
  snapshotEnd: 5,
  /** Answers, the other way. */
  welcome: 6,
  snapshotDone: 7,
  refused: 8,
} as const;

/** A message of 1 MiB of entries and its frame; a snapshot's chunk is smaller, unless a single value is not. */
export const PEER_FRAME_BYTES_MAX = 64 << 20;

export interface Hello {
  readonly clusterId: number;
  readonly from: NodeId;
  readonly to: NodeId;
}

export function writeHello(writer: ByteWriter, hello: Hello): void {
  writer.varint(hello.clusterId);
  writer.varint(hello.from);
  writer.varint(hello.to);
}

export function readHello(reader: ByteReader): Hello {
  return { clusterId: reader.varint(), from: reader.varint() as NodeId, to: reader.varint() as NodeId };
}

export function peerFrame(kind: number, write?: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter(512);
  const start = beginFrame(writer, kind, 0);
  write?.(writer);
  endFrame(writer, start);
  return writer.finish();
}
