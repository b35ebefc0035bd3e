import type { Version } from '../mvcc/version.ts';
import { ByteReader, ByteWriter, MalformedBytes, varintLength } from '../schema/bytes.ts';
import { encode, int, leaseId, message } from '../schema/codec.ts';
import { keyValue } from '../schema/kv-codecs.ts';
import type { LeaseId } from '../schema/messages.ts';

/** How etcd lays its state out in a bbolt file: names of buckets, and what keys and values in them look like. */
export const KEY_BUCKET = 'key';
export const LEASE_BUCKET = 'lease';
export const META_BUCKET = 'meta';
export const MEMBERS_BUCKET = 'members';

/** All of etcd's buckets: its tools expect each to be there, if only empty. */
export const BUCKETS = [
  'alarm',
  'auth',
  'authRoles',
  'authUsers',
  'cluster',
  KEY_BUCKET,
  LEASE_BUCKET,
  MEMBERS_BUCKET,
  'members_removed',
  META_BUCKET,
] as const;

export const metaKeys = {
  consistentIndex: 'consistent_index',
  term: 'term',
  scheduledCompact: 'scheduledCompactRev',
  finishedCompact: 'finishedCompactRev',
} as const;

const REVISION_BYTES = 17;
const MARKED_REVISION_BYTES = 18;
const SEPARATOR = 0x5f;
const TOMBSTONE_MARK = 0x74;
/** Beyond it a revision is no safe integer any more. */
const HIGH_WORD_MAX = 0x1f_ffff;

export interface RevisionKey {
  readonly main: number;
  readonly sub: number;
  readonly tombstone: boolean;
}

/** Eight bytes of revision, "_", eight bytes of place within it, and "t" behind a deletion. */
export function revisionKey(revision: RevisionKey): Buffer {
  const key = Buffer.allocUnsafe(revision.tombstone ? MARKED_REVISION_BYTES : REVISION_BYTES);
  writeUint64(key, revision.main, 0);
  key[8] = SEPARATOR;
  writeUint64(key, revision.sub, 9);
  if (revision.tombstone) key[REVISION_BYTES] = TOMBSTONE_MARK;
  return key;
}

/** @throws MalformedBytes */
export function parseRevisionKey(key: Buffer): RevisionKey {
  const marked = key.length === MARKED_REVISION_BYTES && key[REVISION_BYTES] === TOMBSTONE_MARK;
  if ((key.length !== REVISION_BYTES && !marked) || key[8] !== SEPARATOR) {
    throw new MalformedBytes(`${key.toString('hex')} is no revision`);
  }
  return { main: readUint64(key, 0), sub: readUint64(key, 9), tombstone: marked };
}

export function keyOf(version: Version): Buffer {
  return revisionKey({ main: version.modRevision, sub: version.sub, tombstone: version.deleted });
}

export function keyBytesOf(version: Version): number {
  return version.deleted ? MARKED_REVISION_BYTES : REVISION_BYTES;
}

/** The stored form of a version; of a deletion the key alone. */
export function storedForm(version: Version): Buffer {
  const writer = new ByteWriter(storedBytesOf(version));
  if (version.deleted) {
    writer.u8(0x0a);
    writer.sizedLatin1(version.entry.key);
  } else keyValue.write(writer, version, { clusterId: 0, memberId: 0, term: 0 });
  return writer.finish();
}

/** Length of `storedForm`, without making it. */
export function storedBytesOf(version: Version): number {
  const sized = (length: number) => (length === 0 ? 0 : 1 + varintLength(length) + length);
  const number = (value: number | bigint) => (value === 0 ? 0 : 1 + varintLength(value));
  const key = sized(version.entry.key.length);
  if (version.deleted) return key;
  const { createRevision, modRevision, lease } = version;
  return (
    key + number(createRevision) + number(modRevision) + number(version.version) + sized(version.length) + number(lease)
  );
}

interface StoredLease {
  readonly id: LeaseId;
  readonly ttlSeconds: number;
}

const storedLease = message<StoredLease>(
  { id: [1, leaseId<LeaseId>()], ttlSeconds: [2, int()] },
  { id: 0 as LeaseId, ttlSeconds: 0 },
);

export function leaseItem(lease: StoredLease): readonly [Buffer, Buffer] {
  const key = Buffer.alloc(8);
  key.writeBigInt64BE(BigInt(lease.id));
  return [key, encode(storedLease, { id: lease.id, ttlSeconds: lease.ttlSeconds })];
}

/** @throws MalformedBytes */
export function parseLease(value: Buffer): StoredLease {
  const { id, ttlSeconds } = storedLease.read(new ByteReader(value));
  if (id === 0 || ttlSeconds <= 0) throw new MalformedBytes(`lease ${id} of ${ttlSeconds} s`);
  return { id, ttlSeconds };
}

export interface StoredMember {
  readonly id: number;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

/** etcd keeps members as JSON, under their number in hexadecimal. */
export function memberItem(member: StoredMember): readonly [Buffer, Buffer] {
  const json = {
    id: member.id,
    peerURLs: member.peerUrls,
    ...(member.isLearner ? { isLearner: true } : {}),
    name: member.name,
    clientURLs: member.clientUrls,
  };
  return [Buffer.from(member.id.toString(16)), Buffer.from(JSON.stringify(json))];
}

export function uint64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  writeUint64(bytes, value, 0);
  return bytes;
}

/** @throws MalformedBytes */
export function readUint64(bytes: Buffer, offset: number): number {
  const high = bytes.readUInt32BE(offset);
  if (high > HIGH_WORD_MAX)
    throw new MalformedBytes(`number ${bytes.toString('hex', offset, offset + 8)} is too large`);
  return high * 2 ** 32 + bytes.readUInt32BE(offset + 4);
}

function writeUint64(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt32BE(Math.floor(value / 2 ** 32), offset);
  bytes.writeUInt32BE(value % 2 ** 32, offset + 4);
}
