import type { NodeId } from '../raft/types.ts';
import { readMany, readText, writeMany, writeText } from '../replica/cluster-state.ts';
import { ByteReader, ByteWriter } from '../schema/bytes.ts';
import { beginFrame, endFrame } from '../schema/frames.ts';

/** What passes between members, in the frames of `schema/frames.ts`; the id is used by questions only. */
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
  /** Asks whether the process that opened the connection lives; answered by `pong`. */
  ping: 9,
  pong: 10,
  /** A question to the member, and its answer; here the frame's id says which belong together. */
  ask: 11,
  answer: 12,
  /** Instead of a hello, from a new member: what is the cluster? Answered by `cluster`. */
  who: 20,
  cluster: 21,
} as const;

/** A message of 1 MiB of entries and its frame; a snapshot's chunk is smaller, unless a single value is not. */
export const PEER_FRAME_BYTES_MAX = 64 << 20;

export interface Hello {
  readonly clusterId: number;
  readonly from: NodeId;
  readonly to: NodeId;
  /** Drawn at each start of the process: two processes that claim to be one member have different ones. */
  readonly life: number;
  /** The sender's log is empty: it is new, or has lost its data. */
  readonly isEmpty: boolean;
  /** Where the sender listens now. */
  readonly peerUrls: readonly string[];
}

export function writeHello(writer: ByteWriter, hello: Hello): void {
  writer.varint(hello.clusterId);
  writer.varint(hello.from);
  writer.varint(hello.to);
  writer.varint(hello.life);
  writer.u8(Number(hello.isEmpty));
  writeMany(writer, hello.peerUrls, writeText);
}

/** @throws MalformedBytes */
export function readHello(reader: ByteReader): Hello {
  const head = { clusterId: reader.varint(), from: reader.varint() as NodeId, to: reader.varint() as NodeId };
  const life = { life: reader.varint(), isEmpty: reader.u8() === 1 };
  return { ...head, ...life, peerUrls: readMany(reader, readText) };
}

/**
 * Why a connection is refused. `elsewhere`: wrong address, or not yet known here; trying again may help. The others
 * are final for the process that is told.
 */
export interface Shunned {
  readonly why: 'elsewhere' | 'removed' | 'twin' | 'lostData';
  readonly reason: string;
}

const whys: readonly Shunned['why'][] = ['elsewhere', 'removed', 'twin', 'lostData'];

export function writeShunned(writer: ByteWriter, { why, reason }: Shunned): void {
  writer.u8(whys.indexOf(why));
  writeText(writer, reason);
}

/** @throws MalformedBytes */
export function readShunned(payload: Buffer): Shunned {
  const reader = new ByteReader(payload);
  return { why: whys[reader.u8()] ?? 'elsewhere', reason: readText(reader) };
}

export function peerFrame(kind: number, write?: (writer: ByteWriter) => void, id = 0): Buffer {
  const writer = new ByteWriter(512);
  const start = beginFrame(writer, kind, id);
  write?.(writer);
  endFrame(writer, start);
  return writer.finish();
}
