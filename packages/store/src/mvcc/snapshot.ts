import { ByteReader, ByteWriter, MalformedBytes } from '../schema/bytes.ts';
import type { ByteString } from '../schema/keys.ts';
import type { LeaseId, Revision } from '../schema/messages.ts';
import type { KeyEntry } from './key-index.ts';
import { Mvcc } from './mvcc.ts';
import type { Version } from './version.ts';

const HEAD = 1;
const KEYS = 2;

/**
 * Turns the state as of now into chunks, a slice at a time while the store goes on changing. It holds for as long as
 * nobody calls `prune`: later versions are skipped, earlier ones are still there.
 */
export class SnapshotSource {
  readonly #mvcc: Mvcc;
  readonly #revision: Revision;
  readonly #compactRevision: number;
  readonly #head: Buffer;
  #cursor: ByteString | undefined;
  #headTaken = false;

  constructor(mvcc: Mvcc) {
    this.#mvcc = mvcc;
    this.#revision = mvcc.revision;
    this.#compactRevision = mvcc.compactRevision;
    this.#head = encodeHead(mvcc);
    this.#cursor = '';
  }

  /** The next chunk, of about `bytesMax`; undefined after the last one. */
  next(bytesMax: number): Buffer | undefined {
    if (!this.#headTaken) {
      this.#headTaken = true;
      return this.#head;
    }
    if (this.#cursor === undefined) return undefined;
    const writer = new ByteWriter(bytesMax + 1024);
    writer.u8(KEYS);
    let next: ByteString | undefined;
    this.#mvcc.index.walk(this.#cursor, undefined, (entry) => {
      if (writer.length >= bytesMax) {
        next = entry.key;
        return false;
      }
      encodeKey(writer, entry, this.#revision, this.#compactRevision);
      return true;
    });
    this.#cursor = next;
    return writer.finish();
  }
}

/** Builds a state from chunks. @throws MalformedBytes */
export class SnapshotSink {
  readonly #mvcc = new Mvcc();
  readonly #history: Version[] = [];
  #revision = 0 as Revision;
  #compactRevision = 0;

  add(chunk: Buffer): void {
    const reader = new ByteReader(chunk);
    const type = reader.u8();
    if (type === HEAD) this.#addHead(reader);
    else if (type === KEYS) while (!reader.done) this.#addKey(reader);
    else throw new MalformedBytes(`unknown snapshot chunk ${type}`);
  }

  finish(): Mvcc {
    if (this.#revision === 0) throw new MalformedBytes('snapshot without a head');
    this.#mvcc.restoreState(this.#revision, this.#compactRevision, this.#history);
    return this.#mvcc;
  }

  #addHead(reader: ByteReader): void {
    this.#revision = reader.varint() as Revision;
    this.#compactRevision = reader.varint();
    while (!reader.done) this.#mvcc.leases.grant(reader.wide() as LeaseId, reader.varint());
  }

  #addKey(reader: ByteReader): void {
    const key = reader.sizedLatin1();
    let last: Version | undefined;
    for (let count = reader.size(); count > 0; count--) {
      const at = { modRevision: reader.varint() as Revision, sub: reader.varint() };
      const made = {
        createRevision: reader.varint() as Revision,
        version: reader.varint(),
        lease: reader.wide() as LeaseId,
      };
      last = this.#mvcc.restoreVersion(key, at, made, reader.sizedBytes());
      if (at.modRevision >= this.#compactRevision) this.#history.push(last);
    }
    if (last !== undefined && last.lease !== 0) this.#mvcc.leases.move(last.entry, 0 as LeaseId, last.lease);
  }
}

function encodeHead(mvcc: Mvcc): Buffer {
  const writer = new ByteWriter();
  writer.u8(HEAD);
  writer.varint(mvcc.revision);
  writer.varint(mvcc.compactRevision);
  for (const { id, ttlSeconds } of mvcc.leases.all()) {
    writer.wide(id);
    writer.varint(ttlSeconds);
  }
  return writer.finish();
}

function encodeKey(writer: ByteWriter, entry: KeyEntry, revision: Revision, compactRevision: number): void {
  const versions: Version[] = [];
  for (let version = entry.head; version !== undefined; version = version.previous) {
    if (version.modRevision > revision) continue;
    // What a compaction hides may still be there, because cutting it off takes a while.
    if (version.modRevision < compactRevision && version.deleted) break;
    versions.push(version);
    if (version.modRevision <= compactRevision) break;
  }
  if (versions.length === 0) return;
  writer.sizedLatin1(entry.key);
  writer.varint(versions.length);
  for (const version of versions.reverse()) {
    writer.varint(version.modRevision);
    writer.varint(version.sub);
    writer.varint(version.createRevision);
    writer.varint(version.version);
    writer.wide(version.lease);
    writer.sizedBytes(version.value);
  }
}
