import type { Entry, HardState, LogIndex, NodeId, Term } from '../raft/types.ts';
import { ByteReader, type ByteWriter, MalformedBytes } from '../schema/bytes.ts';
import { crc32c } from './crc32c.ts';

/** Length, checksum, batch number, type. */
export const HEADER_BYTES = 13;
/** Larger than any entry can be; a length beyond it is garbage. */
export const RECORD_BYTES_MAX = 64 << 20;

/** One line of the log. Written as: u32 length, u32 CRC32C of all after it, u32 batch, u8 type, payload. */
export type WalRecord =
  | { readonly kind: 'segment'; readonly version: number; readonly clusterId: number; readonly memberId: number }
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'hardState'; readonly hardState: HardState }
  /** A snapshot from the leader took the place of everything before. */
  | { readonly kind: 'install'; readonly index: LogIndex; readonly term: Term }
  /** The cluster as this member found it when its log began; the replica's own encoding. */
  | { readonly kind: 'genesis'; readonly data: Buffer };

/** Set in the type of a batch's last record: tells in which batch a broken record behind it is. */
const LAST_OF_BATCH = 0x80;

/** Number of the write a record belongs to, and whether the record ends it. */
export interface BatchMark {
  readonly number: number;
  readonly last: boolean;
}

const types = { segment: 1, entry: 2, hardState: 3, install: 4, genesis: 5, configuration: 6 } as const;
const TYPE_MAX = 6;

export function encodeRecord(writer: ByteWriter, record: WalRecord, batch: BatchMark): void {
  const start = writer.length;
  writer.u32(0);
  writer.u32(0);
  writer.u32(batch.number >>> 0);
  writer.u8(typeOf(record) | (batch.last ? LAST_OF_BATCH : 0));
  encodePayload(writer, record);
  const size = writer.length - start - HEADER_BYTES;
  const bytes = writer.finish();
  writer.u32At(start, size);
  writer.u32At(start + 4, crc32c(bytes, start + 8, bytes.length));
}

/** A configuration entry has a type of its own, so that logs of earlier versions read as they are. */
function typeOf(record: WalRecord): number {
  return record.kind === 'entry' ? types[record.entry.kind ?? 'entry'] : types[record.kind];
}

function encodePayload(writer: ByteWriter, record: WalRecord): void {
  switch (record.kind) {
    case 'segment':
      writer.varint(record.version);
      writer.varint(record.clusterId);
      writer.varint(record.memberId);
      return;
    case 'entry':
      writer.varint(record.entry.index);
      writer.varint(record.entry.term);
      writer.bytes(record.entry.data);
      return;
    case 'hardState':
      writer.varint(record.hardState.term);
      writer.varint(record.hardState.vote);
      writer.varint(record.hardState.commit);
      return;
    case 'install':
      writer.varint(record.index);
      writer.varint(record.term);
      return;
    case 'genesis':
      writer.bytes(record.data);
  }
}

export type Scanned =
  | { readonly kind: 'record'; readonly record: WalRecord; readonly batch: BatchMark; readonly next: number }
  /** Zeros: nothing was ever written here. */
  | { readonly kind: 'end' }
  | { readonly kind: 'bad'; readonly problem: string };

/** Reads the record at an offset. Entry data are views into `bytes`. */
export function scanRecord(bytes: Buffer, offset: number): Scanned {
  if (offset + HEADER_BYTES > bytes.length) return bytes.length === offset ? { kind: 'end' } : bad('cut-off header');
  const size = bytes.readUInt32BE(offset);
  const checksum = bytes.readUInt32BE(offset + 4);
  if (size === 0 && checksum === 0) return { kind: 'end' };
  const next = offset + HEADER_BYTES + size;
  if (size > RECORD_BYTES_MAX || next > bytes.length) return bad(`length ${size} leads past the end`);
  const actual = crc32c(bytes, offset + 8, next);
  if (actual !== checksum) return bad(`checksum ${checksum.toString(16)}, but the bytes have ${actual.toString(16)}`);
  try {
    const reader = new ByteReader(bytes, offset + HEADER_BYTES, next);
    const type = bytes[offset + 12] ?? 0;
    const record = decodePayload(type & ~LAST_OF_BATCH, reader, size);
    const batch = { number: bytes.readUInt32BE(offset + 8), last: (type & LAST_OF_BATCH) !== 0 };
    return { kind: 'record', record, batch, next };
  } catch (error) {
    if (error instanceof MalformedBytes) return bad(error.message);
    throw error;
  }
}

/**
 * Whether a record of a later batch than the one broken at `offset` stands anywhere behind it. A batch is written
 * only after the one before is durable, so if there is one, what is broken had been durable: not a torn end.
 * @param before mark of the last good record before `offset`
 */
export function laterBatchExists(bytes: Buffer, offset: number, before: BatchMark): boolean {
  const torn = before.number + Number(before.last);
  for (let at = offset + 1; at + HEADER_BYTES <= bytes.length; at++) {
    // Cheap tests first: a known type, a sane length, a batch number somewhat above ours.
    const type = (bytes[at + 12] ?? 0) & ~LAST_OF_BATCH;
    if (type === 0 || type > TYPE_MAX || bytes.readUInt32BE(at) > RECORD_BYTES_MAX) continue;
    const ahead = (bytes.readUInt32BE(at + 8) - torn) >>> 0;
    if (ahead === 0 || ahead > 0x7fff_ffff) continue;
    if (scanRecord(bytes, at).kind === 'record') return true;
  }
  return false;
}

function decodePayload(type: number, reader: ByteReader, size: number): WalRecord {
  const start = reader.offset;
  switch (type) {
    case types.segment:
      return { kind: 'segment', version: reader.varint(), clusterId: reader.varint(), memberId: reader.varint() };
    case types.entry:
    case types.configuration: {
      const at = { index: reader.varint() as LogIndex, term: reader.varint() as Term };
      const entry = { ...at, data: reader.bytes(size - (reader.offset - start)) };
      return { kind: 'entry', entry: type === types.entry ? entry : { ...entry, kind: 'configuration' } };
    }
    case types.hardState: {
      const term = reader.varint() as Term;
      const vote = reader.varint() as NodeId;
      return { kind: 'hardState', hardState: { term, vote, commit: reader.varint() as LogIndex } };
    }
    case types.install:
      return { kind: 'install', index: reader.varint() as LogIndex, term: reader.varint() as Term };
    case types.genesis:
      return { kind: 'genesis', data: reader.bytes(size) };
    default:
      throw new MalformedBytes(`unknown record type ${type}`);
  }
}

function bad(problem: string): Scanned {
  return { kind: 'bad', problem };
}
