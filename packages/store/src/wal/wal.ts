import type { Entry, HardState, LogIndex, SnapshotMeta } from '../raft/types.ts';
import { ByteWriter } from '../schema/bytes.ts';
import type { Disk, DiskFile } from './disk.ts';
import { encodeRecord, type WalRecord } from './records.ts';
import { FORMAT_VERSION, type Recovered, type SegmentInfo, segmentName } from './recovery.ts';

/** A segment this full is closed; records are never split, so it may end up larger. */
const SEGMENT_BYTES = 16 << 20;
/** The first segment of a log is small, so that a new member need not write much before it serves. */
const FIRST_SEGMENT_BYTES = 1 << 20;

/** What must become durable together. */
export interface WalBatch {
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  readonly install: SnapshotMeta | undefined;
}

export interface WalIdentity {
  readonly clusterId: number;
  readonly memberId: number;
}

/**
 * The write-ahead log. `append` is called with one batch at a time, the next after it resolved; whoever waits
 * meanwhile goes into the next batch, which is what makes one disk write serve many.
 */
export class Wal {
  readonly #disk: Disk;
  readonly #identity: WalIdentity;
  /** Oldest first; the last one is being written. */
  readonly #segments: SegmentInfo[];
  #file: DiskFile;
  #position: number;
  #capacity: number;
  #batch: number;
  #hardState: HardState;
  /** The next segment, being prepared while the present one fills. */
  #spare: Promise<DiskFile> | undefined;
  #bytesSinceSnapshot: number;
  #closed = false;

  private constructor(disk: Disk, identity: WalIdentity, recovered: Recovered, file: DiskFile) {
    this.#disk = disk;
    this.#identity = identity;
    this.#segments = [...recovered.segments];
    this.#file = file;
    this.#position = recovered.position;
    this.#capacity = recovered.capacity;
    this.#batch = recovered.batch;
    this.#hardState = recovered.hardState;
    this.#bytesSinceSnapshot = recovered.position;
  }

  /**
   * Goes on after `recover`; makes the first segment of a new log.
   * @param genesis to be remembered until a snapshot takes its place; unless the log has one
   */
  static async open(disk: Disk, identity: WalIdentity, recovered: Recovered, genesis?: Buffer): Promise<Wal> {
    const last = recovered.segments.at(-1);
    const records: WalRecord[] =
      genesis === undefined || recovered.genesis !== undefined ? [] : [{ kind: 'genesis', data: genesis }];
    if (last !== undefined) {
      const wal = new Wal(disk, identity, recovered, await disk.open(last.name));
      if (records.length > 0) await wal.#write(records, 128 + (genesis?.length ?? 0));
      return wal;
    }
    const file = await preallocate(disk, 'new.tmp', FIRST_SEGMENT_BYTES);
    const wal = new Wal(disk, identity, recovered, file);
    await wal.#begin('new.tmp', FIRST_SEGMENT_BYTES, records);
    return wal;
  }

  /** Bytes written since `snapshotTaken`, which a restart would have to read. */
  get bytesSinceSnapshot(): number {
    return this.#bytesSinceSnapshot;
  }

  /** Resolves once everything in the batch is durable. A failure is final: the log must not be used again. */
  async append(batch: WalBatch): Promise<void> {
    if (this.#position >= this.#capacity) await this.#roll();
    const { hardState, entries, install } = batch;
    const records: WalRecord[] = [];
    if (install !== undefined) records.push({ kind: 'install', index: install.index, term: install.term });
    for (const entry of entries) records.push({ kind: 'entry', entry });
    if (hardState !== undefined) {
      records.push({ kind: 'hardState', hardState });
      this.#hardState = hardState;
    }
    await this.#write(records, estimateBytes(entries));
    this.#noteIndex(install?.index, entries.at(-1)?.index);
    if (this.#position > this.#capacity / 2) this.#spare ??= this.#prepareSpare();
  }

  /** A snapshot is durable: segments that hold nothing after it go. */
  async snapshotTaken(index: LogIndex): Promise<void> {
    this.#bytesSinceSnapshot = 0;
    let removed = false;
    while (this.#segments.length > 1 && (this.#segments[0] as SegmentInfo).highestIndex <= index) {
      await this.#disk.remove((this.#segments.shift() as SegmentInfo).name);
      removed = true;
    }
    if (removed) await this.#disk.syncDirectory();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const spare = await this.#spare?.catch(() => undefined);
    await spare?.close();
    await this.#file.close();
  }

  async #write(records: readonly WalRecord[], sizeBytes: number): Promise<void> {
    const bytes = this.#encode(records, sizeBytes);
    await this.#file.writeDurably(bytes, this.#position);
    this.#position += bytes.length;
    this.#bytesSinceSnapshot += bytes.length;
  }

  async #roll(): Promise<void> {
    const spare = await (this.#spare ?? this.#prepareSpare());
    this.#spare = undefined;
    await this.#file.close();
    this.#file = spare;
    await this.#begin('spare.tmp', SEGMENT_BYTES);
  }

  #prepareSpare(): Promise<DiskFile> {
    const spare = preallocate(this.#disk, 'spare.tmp', SEGMENT_BYTES);
    // Whoever takes the spare sees its failure; until then it must not count as unhandled.
    spare.catch(() => undefined);
    return spare;
  }

  /** Gives the prepared file its place: header first, then the name, so that a named segment always has one. */
  async #begin(from: string, capacity: number, more: readonly WalRecord[] = []): Promise<void> {
    const sequence = (this.#segments.at(-1)?.sequence ?? 0) + 1;
    const header = { kind: 'segment', version: FORMAT_VERSION, ...this.#identity } as const;
    // Older segments may go one day, and the vote with them.
    const bytes = this.#encode([header, { kind: 'hardState', hardState: this.#hardState }, ...more], 128);
    await this.#file.writeDurably(bytes, 0);
    const name = segmentName(sequence);
    await this.#disk.rename(from, name);
    await this.#disk.syncDirectory();
    this.#segments.push({ name, sequence, highestIndex: 0 });
    this.#position = bytes.length;
    this.#capacity = capacity;
  }

  #encode(records: readonly WalRecord[], sizeBytes: number): Buffer {
    const writer = new ByteWriter(sizeBytes);
    const number = ++this.#batch;
    for (const [i, record] of records.entries()) {
      encodeRecord(writer, record, { number, last: i === records.length - 1 });
    }
    return writer.finish();
  }

  #noteIndex(...indexes: readonly (LogIndex | undefined)[]): void {
    const segment = this.#segments.at(-1) as SegmentInfo;
    for (const index of indexes) if (index !== undefined) segment.highestIndex = Math.max(segment.highestIndex, index);
  }
}

/** A file of zeros on its own blocks: later writes change data only, which makes each sync cheaper. */
async function preallocate(disk: Disk, name: string, sizeBytes: number): Promise<DiskFile> {
  const file = await disk.open(name);
  await file.write(Buffer.alloc(sizeBytes), 0);
  await file.sync();
  return file;
}

function estimateBytes(entries: readonly Entry[]): number {
  let sizeBytes = 128;
  for (const { data } of entries) sizeBytes += data.length + 40;
  return sizeBytes;
}
