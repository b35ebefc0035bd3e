import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { CHECKSUM_BYTES } from '../bolt/backup.ts';
import {
  BUCKETS,
  KEY_BUCKET,
  LEASE_BUCKET,
  META_BUCKET,
  metaKeys,
  parseLease,
  parseRevisionKey,
} from '../bolt/etcd-layout.ts';
import { BoltFile, type ReadAt } from '../bolt/reader.ts';
import type { Mvcc } from '../mvcc/mvcc.ts';
import { Rebuild } from '../mvcc/rebuild.ts';
import { ByteReader, MalformedBytes } from '../schema/bytes.ts';
import { keyValue } from '../schema/kv-codecs.ts';
import { crc32c } from '../wal/crc32c.ts';

/** Files are made of whole disk sectors; one that is not by just this much ends in a checksum (etcd's rule). */
const SECTOR_BYTES = 512;
const BLOCK_BYTES = 256 << 10;
const BLOCKS_KEPT = 32;

/** What etcd's `snapshot status` says of a backup. */
export interface BackupStatus {
  /** CRC32C over the names of its buckets and all their items. */
  readonly hash: number;
  readonly revision: number;
  /** Items of all buckets. */
  readonly totalKey: number;
  readonly totalSize: number;
}

/** A backup of etcd or of this store: a bbolt file, with a checksum behind it unless it was copied from a data directory. */
export class BackupFile implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #bolt: BoltFile;

  /**
   * @param skipHashCheck take a file without a checksum, or with a wrong one
   * @throws Error naming the file when it is none, or is not as it was written
   */
  static async open(path: string, skipHashCheck: boolean): Promise<BackupFile> {
    const handle = await open(path, 'r');
    try {
      if (!skipHashCheck) await verifyChecksum(handle, path);
      return new BackupFile(handle, path, await naming(path, () => BoltFile.open(readAhead(handle))));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(handle: FileHandle, path: string, bolt: BoltFile) {
    this.#handle = handle;
    this.#path = path;
    this.#bolt = bolt;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  status(): Promise<BackupStatus> {
    return naming(this.#path, async () => {
      let hash = 0;
      let totalKey = 0;
      let revision = 0;
      for (const bucket of this.#bolt.bucketNames) {
        hash = crc32c(Buffer.from(bucket), undefined, undefined, hash);
        for await (const [key, value] of this.#bolt.items(bucket)) {
          hash = crc32c(value, undefined, undefined, crc32c(key, undefined, undefined, hash));
          totalKey++;
          if (bucket === KEY_BUCKET) revision = parseRevisionKey(key).main;
        }
      }
      return { hash, revision, totalKey, totalSize: this.#bolt.sizeBytes };
    });
  }

  /** The state it holds. @param bumpRevisions see `Rebuild.finish` */
  restore(bumpRevisions: number): Promise<Mvcc> {
    return naming(this.#path, async () => {
      const missing = BUCKETS.filter((name) => name === KEY_BUCKET && !this.#bolt.bucketNames.includes(name));
      if (missing.length > 0) throw new MalformedBytes(`it has no bucket "${missing[0]}": it is not etcd's`);
      const rebuild = new Rebuild();
      for await (const [, value] of this.#bolt.items(LEASE_BUCKET)) {
        const { id, ttlSeconds } = parseLease(value);
        rebuild.lease(id, ttlSeconds);
      }
      for await (const [key, value] of this.#bolt.items(KEY_BUCKET)) {
        const { main: revision, sub, tombstone: deleted } = parseRevisionKey(key);
        const kv = keyValue.read(new ByteReader(value));
        const problem = rebuild.change({ revision, sub, deleted, kv });
        if (problem !== undefined) throw new MalformedBytes(problem);
      }
      return rebuild.finish(await this.#compactRevision(), bumpRevisions);
    });
  }

  /** A compaction that was decided but not finished is finished by restoring. */
  async #compactRevision(): Promise<number> {
    let compacted = 0;
    for await (const [key, value] of this.#bolt.items(META_BUCKET)) {
      const name = key.toString();
      if (name !== metaKeys.finishedCompact && name !== metaKeys.scheduledCompact) continue;
      compacted = Math.max(compacted, parseRevisionKey(value).main);
    }
    return compacted;
  }
}

async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    throw new Error(`Cannot read ${path}: ${error.message}`, { cause: error });
  }
}

async function verifyChecksum(handle: FileHandle, path: string): Promise<void> {
  const { size } = await handle.stat();
  if (size % SECTOR_BYTES !== CHECKSUM_BYTES) {
    throw new Error(
      `Cannot trust ${path}: it has no checksum at its end. If it was copied from a data directory rather than saved ` +
        'as a snapshot, add --skip-hash-check',
    );
  }
  const end = size - CHECKSUM_BYTES;
  const hash = createHash('sha256');
  for (let position = 0; position < end; ) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(BLOCK_BYTES, end - position)), { position });
    if (bytesRead === 0) throw new Error(`Cannot read ${path}: it became shorter meanwhile`);
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  const { buffer: written } = await handle.read(Buffer.alloc(CHECKSUM_BYTES), { position: end });
  if (!hash.digest().equals(written)) {
    throw new Error(
      `Cannot trust ${path}: it is not what its checksum was made of. It is damaged, take another backup`,
    );
  }
}

/** Pages are small and lie near each other: whole blocks are read, and the last ones kept. */
function readAhead(handle: FileHandle): ReadAt {
  const blocks = new Map<number, Buffer>();
  const block = async (index: number): Promise<Buffer> => {
    const kept = blocks.get(index);
    if (kept !== undefined) return kept;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BLOCK_BYTES), { position: index * BLOCK_BYTES });
    const [oldest] = blocks.keys();
    if (blocks.size >= BLOCKS_KEPT && oldest !== undefined) blocks.delete(oldest);
    blocks.set(index, buffer.subarray(0, bytesRead));
    return buffer.subarray(0, bytesRead);
  };
  return async (position, length) => {
    const first = Math.floor(position / BLOCK_BYTES);
    const last = Math.floor((position + length - 1) / BLOCK_BYTES);
    const parts: Buffer[] = [];
    for (let index = first; index <= last; index++) parts.push(await block(index));
    const start = position - first * BLOCK_BYTES;
    const all = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    return all.subarray(start, start + length);
  };
}
