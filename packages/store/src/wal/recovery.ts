import type { Entry, HardState, LogIndex, Term } from '../raft/types.ts';
import { NOBODY } from '../raft/types.ts';
import { CorruptFile, type Disk } from './disk.ts';
import { type BatchMark, laterBatchExists, scanRecord, type WalRecord } from './records.ts';
import type { WalIdentity } from './wal.ts';

export const FORMAT_VERSION = 1;

const ZEROS = Buffer.alloc(64 << 10);

export interface SegmentInfo {
  readonly name: string;
  readonly sequence: number;
  /** Highest entry index in it; it may go once a snapshot covers that. */
  highestIndex: number;
}

/** What the log says after a restart. */
export interface Recovered {
  readonly segments: readonly SegmentInfo[];
  /** Where the next record goes in the last segment. */
  readonly position: number;
  readonly capacity: number;
  readonly batch: number;
  readonly hardState: HardState;
  /** In order, without gaps, later ones having replaced earlier ones of the same index. */
  readonly entries: readonly Entry[];
  /** Whose directory it is; undefined for an empty one. */
  readonly identity: WalIdentity | undefined;
  /** What the log began with; undefined in an empty directory and in one of an earlier version. */
  readonly genesis: Buffer | undefined;
  /** Last snapshot taken over from a leader; `entries` follow it. */
  readonly installed: { readonly index: LogIndex; readonly term: Term } | undefined;
  /** A torn last write was cut off here: for the log. */
  readonly torn: { readonly file: string; readonly offset: number; readonly problem: string } | undefined;
}

export function segmentName(sequence: number): string {
  return `${sequence.toString(16).padStart(16, '0')}.wal`;
}

/** The directory belongs to another member or another version of this program. */
export class ForeignData extends Error {
  override readonly name = 'ForeignData';
}

/**
 * Reads the whole log. The torn end of the last write is cut off; anything else that is not as it was written stops
 * the member.
 * @param expected whose log it must be; absent: anybody's
 * @throws CorruptFile @throws ForeignData
 */
export async function recover(disk: Disk, expected?: WalIdentity): Promise<Recovered> {
  const names = (await disk.list()).filter((name) => /^[0-9a-f]{16}\.wal$/.test(name)).sort();
  const replay = new Replay(disk.path, expected);
  for (const [i, name] of names.entries()) {
    const sequence = Number.parseInt(name, 16);
    const before = replay.segments.at(-1);
    if (before !== undefined && sequence !== before.sequence + 1) {
      throw new CorruptFile(`${disk.path}/${name}`, 0, `the segment before it is missing`);
    }
    const bytes = await disk.read(name);
    replay.segment({ name, sequence, highestIndex: 0 }, bytes, i === names.length - 1);
  }
  if (replay.torn !== undefined) await cutOff(disk, names.at(-1) as string, replay);
  return replay.result();
}

/** Puts zeros where the torn write was, so that it cannot be mistaken for something else the next time. */
async function cutOff(disk: Disk, name: string, replay: Replay): Promise<void> {
  const file = await disk.open(name);
  await file.truncate(replay.position);
  await file.write(Buffer.alloc(Math.max(0, replay.capacity - replay.position)), replay.position);
  await file.sync();
  await file.close();
}

class Replay {
  readonly segments: SegmentInfo[] = [];
  position = 0;
  capacity = 0;
  torn: { readonly file: string; readonly offset: number; readonly problem: string } | undefined;
  readonly #path: string;
  #identity: WalIdentity | undefined;
  #expected: WalIdentity | undefined;
  #genesis: Buffer | undefined;
  #batch: BatchMark = { number: 0, last: true };
  #hardState: HardState = { term: 0 as Term, vote: NOBODY, commit: 0 as LogIndex };
  #entries: Entry[] = [];
  #installed: { readonly index: LogIndex; readonly term: Term } | undefined;

  constructor(path: string, expected: WalIdentity | undefined) {
    this.#path = path;
    this.#expected = expected;
  }

  segment(info: SegmentInfo, bytes: Buffer, isLast: boolean): void {
    const file = `${this.#path}/${info.name}`;
    this.segments.push(info);
    this.capacity = bytes.length;
    let offset = 0;
    for (;;) {
      const scanned = scanRecord(bytes, offset);
      if (scanned.kind === 'record') {
        this.#record(scanned.record, info, file, offset);
        this.#batch = scanned.batch;
        offset = scanned.next;
        continue;
      }
      this.position = offset;
      const problem = scanned.kind === 'bad' ? scanned.problem : 'written bytes after the end';
      if (scanned.kind === 'end' && isZero(bytes, offset)) {
        if (offset === 0) throw new CorruptFile(file, 0, 'the segment header is missing');
        return;
      }
      // A segment is left only when all of it is durable, and its header is durable before it has a name.
      if (!isLast || offset === 0 || laterBatchExists(bytes, offset, this.#batch)) {
        throw new CorruptFile(file, offset, problem);
      }
      this.torn = { file, offset, problem };
      return;
    }
  }

  result(): Recovered {
    const { segments, position, capacity, torn } = this;
    return {
      segments,
      position,
      capacity,
      torn,
      batch: this.#batch.number,
      hardState: this.#hardState,
      entries: this.#entries,
      identity: this.#identity,
      genesis: this.#genesis,
      installed: this.#installed,
    };
  }

  #record(record: WalRecord, info: SegmentInfo, file: string, offset: number): void {
    if ((offset === 0) !== (record.kind === 'segment')) {
      throw new CorruptFile(file, offset, 'a segment header where none belongs, or none where one does');
    }
    switch (record.kind) {
      case 'segment':
        this.#checkIdentity(record, file);
        return;
      case 'hardState':
        this.#hardState = record.hardState;
        return;
      case 'install':
        this.#entries = [];
        this.#installed = { index: record.index, term: record.term };
        info.highestIndex = Math.max(info.highestIndex, record.index);
        return;
      case 'genesis':
        this.#genesis = record.data;
        return;
      case 'entry':
        this.#entry(record.entry, file, offset);
        info.highestIndex = Math.max(info.highestIndex, record.entry.index);
    }
  }

  #entry(entry: Entry, file: string, offset: number): void {
    const first = this.#entries[0]?.index ?? entry.index;
    const position = entry.index - first;
    if (position < 0 || position > this.#entries.length) {
      throw new CorruptFile(file, offset, `entry ${entry.index} does not follow ${this.#entries.at(-1)?.index}`);
    }
    this.#entries.length = position;
    this.#entries.push(entry);
  }

  #checkIdentity(record: Extract<WalRecord, { kind: 'segment' }>, file: string): void {
    if (record.version !== FORMAT_VERSION) {
      throw new ForeignData(
        `Cannot read ${file}: format version ${record.version}, this program knows ${FORMAT_VERSION}`,
      );
    }
    const found = { clusterId: record.clusterId, memberId: record.memberId };
    this.#identity = found;
    // Segments of one log agree among themselves, whoever is expected.
    this.#expected ??= found;
    const { clusterId, memberId } = this.#expected;
    if (found.clusterId !== clusterId || found.memberId !== memberId) {
      throw new ForeignData(
        `Cannot use ${this.#path}: it belongs to member ${record.memberId.toString(16)} of cluster ` +
          `${record.clusterId.toString(16)}, this is member ${memberId.toString(16)} of cluster ${clusterId.toString(16)}`,
      );
    }
  }
}

function isZero(bytes: Buffer, from: number): boolean {
  for (let i = from; i < bytes.length; i += ZEROS.length) {
    const part = bytes.subarray(i, i + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) return false;
  }
  return true;
}
