import { type LogIndex, type SnapshotMeta, type Term, votersOnly } from '../raft/types.ts';
import { ByteReader, ByteWriter, MalformedBytes } from '../schema/bytes.ts';
import { readConfiguration, readIds, writeConfiguration } from './configuration-codec.ts';
import { crc32c } from './crc32c.ts';
import { CorruptFile, type Disk } from './disk.ts';
import { ForeignData } from './recovery.ts';
import type { WalIdentity } from './wal.ts';

/** 2: whole configurations. What 1 wrote, voters alone, is still read. */
const FORMAT_VERSION = 2;
const HEADER_BYTES = 8;
const CHUNK_BYTES_MAX = 64 << 20;
/** Snapshots kept: the newest only, for it was made durable before the one before went. */
const KEPT = 1;

export function snapshotName(index: LogIndex): string {
  return `${index.toString(16).padStart(16, '0')}.snap`;
}

/**
 * Writes a snapshot beside and renames it when it is durable. Chunks are u32 length, u32 CRC32C, bytes; the first
 * says what it is, an empty one is the end.
 */
export class SnapshotWriter {
  readonly #disk: Disk;
  readonly #meta: SnapshotMeta;
  readonly #file: Promise<Awaited<ReturnType<Disk['open']>>>;
  readonly #temporary: string;
  #position = 0;

  constructor(disk: Disk, identity: WalIdentity, meta: SnapshotMeta, temporary = 'snapshot.tmp') {
    this.#disk = disk;
    this.#meta = meta;
    this.#temporary = temporary;
    this.#file = this.#begin(identity);
  }

  async write(chunk: Buffer): Promise<void> {
    const framed = Buffer.allocUnsafe(HEADER_BYTES + chunk.length);
    framed.writeUInt32BE(chunk.length, 0);
    framed.writeUInt32BE(crc32c(chunk), 4);
    chunk.copy(framed, HEADER_BYTES);
    const file = await this.#file;
    await file.write(framed, this.#position);
    this.#position += framed.length;
  }

  /** Makes the snapshot the newest one; the caller removes older ones when it no longer needs them. */
  async finish(): Promise<void> {
    await this.write(Buffer.alloc(0));
    const file = await this.#file;
    await file.sync();
    await file.close();
    await this.#disk.rename(this.#temporary, snapshotName(this.#meta.index));
    await this.#disk.syncDirectory();
  }

  async abandon(): Promise<void> {
    const file = await this.#file;
    await file.close();
    await this.#disk.remove(this.#temporary);
  }

  async #begin(identity: WalIdentity) {
    const file = await this.#disk.open(this.#temporary);
    await file.truncate(0);
    const bytes = encodeMeta(identity, this.#meta);
    const framed = new ByteWriter();
    framed.u32(bytes.length);
    framed.u32(crc32c(bytes));
    framed.bytes(bytes);
    await file.write(framed.finish(), 0);
    this.#position = framed.length;
    return file;
  }
}

export interface LoadedSnapshot {
  readonly meta: SnapshotMeta;
  readonly chunks: readonly Buffer[];
}

/** Newest snapshot of the directory, undefined if there is none. @throws CorruptFile @throws ForeignData */
export async function loadNewestSnapshot(
  disk: Disk,
  identity: Pick<WalIdentity, 'clusterId'> | undefined,
): Promise<LoadedSnapshot | undefined> {
  const newest = (await snapshotNames(disk)).at(-1);
  return newest === undefined ? undefined : parseSnapshot(`${disk.path}/${newest}`, await disk.read(newest), identity);
}

export async function removeOldSnapshots(disk: Disk): Promise<void> {
  const names = await snapshotNames(disk);
  for (const name of names.slice(0, -KEPT)) await disk.remove(name);
}

/** Leftovers of writes that were cut short. */
export async function removeTemporaryFiles(disk: Disk): Promise<void> {
  for (const name of await disk.list()) if (name.endsWith('.tmp')) await disk.remove(name);
}

export function parseSnapshot(
  path: string,
  bytes: Buffer,
  identity: Pick<WalIdentity, 'clusterId'> | undefined,
): LoadedSnapshot {
  const chunks: Buffer[] = [];
  let offset = 0;
  for (;;) {
    if (offset + HEADER_BYTES > bytes.length) throw new CorruptFile(path, offset, 'the end is missing');
    const size = bytes.readUInt32BE(offset);
    const end = offset + HEADER_BYTES + size;
    if (size > CHUNK_BYTES_MAX || end > bytes.length) {
      throw new CorruptFile(path, offset, `chunk length ${size} leads past the end`);
    }
    const chunk = bytes.subarray(offset + HEADER_BYTES, end);
    if (crc32c(chunk) !== bytes.readUInt32BE(offset + 4)) throw new CorruptFile(path, offset, 'checksum mismatch');
    offset = end;
    if (size === 0) break;
    chunks.push(chunk);
  }
  if (offset !== bytes.length) throw new CorruptFile(path, offset, 'bytes after the end');
  const [first, ...rest] = chunks;
  if (first === undefined) throw new CorruptFile(path, 0, 'it is empty');
  return { meta: decodeMeta(path, first, identity), chunks: rest };
}

async function snapshotNames(disk: Disk): Promise<string[]> {
  return (await disk.list()).filter((name) => /^[0-9a-f]{16}\.snap$/.test(name)).sort();
}

function encodeMeta(identity: WalIdentity, meta: SnapshotMeta): Buffer {
  const writer = new ByteWriter();
  writer.varint(FORMAT_VERSION);
  writer.varint(identity.clusterId);
  writer.varint(meta.index);
  writer.varint(meta.term);
  writeConfiguration(writer, meta.configuration);
  return writer.finish();
}

function decodeMeta(path: string, bytes: Buffer, identity: Pick<WalIdentity, 'clusterId'> | undefined): SnapshotMeta {
  try {
    const reader = new ByteReader(bytes);
    const version = reader.varint();
    if (version < 1 || version > FORMAT_VERSION) {
      throw new ForeignData(`Cannot read ${path}: format version ${version}, this program knows ${FORMAT_VERSION}`);
    }
    const clusterId = reader.varint();
    if (identity !== undefined && clusterId !== identity.clusterId) {
      throw new ForeignData(
        `Cannot use ${path}: it belongs to cluster ${clusterId.toString(16)}, not ${identity.clusterId.toString(16)}`,
      );
    }
    const index = reader.varint() as LogIndex;
    const term = reader.varint() as Term;
    const configuration = version === 1 ? votersOnly(readIds(reader)) : readConfiguration(reader);
    return { index, term, configuration };
  } catch (error) {
    if (error instanceof MalformedBytes) throw new CorruptFile(path, HEADER_BYTES, error.message);
    throw error;
  }
}
