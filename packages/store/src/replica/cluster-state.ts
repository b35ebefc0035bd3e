import type { NodeId } from '../raft/types.ts';
import { ByteReader, ByteWriter, MalformedBytes } from '../schema/bytes.ts';

/** A member and where it is reached. Its identity depends on neither name nor address. */
export interface Member {
  readonly id: NodeId;
  /** Empty for one that was added and has not started yet. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** Empty for one that has not started yet. */
  readonly clientUrls: readonly string[];
}

const alarmKinds = ['NOSPACE', 'CORRUPT'] as const;
export type AlarmKind = (typeof alarmKinds)[number];

export interface RaisedAlarm {
  readonly memberId: NodeId;
  readonly alarm: AlarmKind;
}

const FORMAT_VERSION = 1;
const ITEMS_MAX = 100_000;

/**
 * What the members have agreed on about themselves: who there is and was, and which alarms are on. Replicated like
 * the keys: the same commands give the same state everywhere. Who votes is the consensus core's configuration.
 */
export class ClusterState {
  /** Tells clusters with members of the same names apart. */
  readonly token: string;
  /** The members that the log began with: whoever reads it from its first entry starts from them. */
  readonly founders: readonly Member[];
  readonly #members: Map<NodeId, Member>;
  /** An id is never used again: messages of its former owner may still be on their way. */
  readonly #removed: Set<NodeId>;
  readonly #alarms: Map<string, RaisedAlarm>;

  constructor(token: string, founders: readonly Member[]) {
    this.token = token;
    this.founders = founders;
    this.#members = new Map(founders.map((member) => [member.id, member]));
    this.#removed = new Set();
    this.#alarms = new Map();
  }

  member(id: NodeId): Member | undefined {
    return this.#members.get(id);
  }

  /** In order of their ids. */
  get members(): readonly Member[] {
    return [...this.#members.values()].sort((a, b) => a.id - b.id);
  }

  isRemoved(id: NodeId): boolean {
    return this.#removed.has(id);
  }

  get alarms(): readonly RaisedAlarm[] {
    return [...this.#alarms.values()].sort((a, b) => a.memberId - b.memberId || (a.alarm < b.alarm ? -1 : 1));
  }

  hasAlarm(alarm: AlarmKind): boolean {
    return this.alarms.some((raised) => raised.alarm === alarm);
  }

  /** Adds a member or replaces what is known of it. */
  put(member: Member): void {
    this.#members.set(member.id, member);
  }

  remove(id: NodeId): void {
    this.#members.delete(id);
    this.#removed.add(id);
    for (const { memberId, alarm } of this.alarms) if (memberId === id) this.lower({ memberId, alarm });
  }

  /** Returns whether that was news. */
  raise(alarm: RaisedAlarm): boolean {
    const key = keyOf(alarm);
    if (this.#alarms.has(key)) return false;
    this.#alarms.set(key, alarm);
    return true;
  }

  lower(alarm: RaisedAlarm): boolean {
    return this.#alarms.delete(keyOf(alarm));
  }

  encode(): Buffer {
    const writer = new ByteWriter();
    writer.u8(FORMAT_VERSION);
    writeText(writer, this.token);
    writeMany(writer, this.founders, writeMember);
    writeMany(writer, this.members, writeMember);
    writeMany(writer, [...this.#removed], (to, id) => to.varint(id));
    writeMany(writer, this.alarms, writeAlarm);
    return writer.finish();
  }

  /** @throws MalformedBytes */
  static decode(bytes: Buffer): ClusterState {
    const reader = new ByteReader(bytes);
    const version = reader.u8();
    if (version !== FORMAT_VERSION) throw new MalformedBytes(`cluster state of format ${version}`);
    const state = new ClusterState(readText(reader), readMany(reader, readMember));
    state.#members.clear();
    for (const member of readMany(reader, readMember)) state.put(member);
    for (const id of readMany(reader, () => reader.varint() as NodeId)) state.#removed.add(id);
    for (const alarm of readMany(reader, readAlarm)) state.raise(alarm);
    return state;
  }
}

export function writeMember(writer: ByteWriter, member: Member): void {
  writer.varint(member.id);
  writeText(writer, member.name);
  writeMany(writer, member.peerUrls, writeText);
  writeMany(writer, member.clientUrls, writeText);
}

/** @throws MalformedBytes */
export function readMember(reader: ByteReader): Member {
  const head = { id: reader.varint() as NodeId, name: readText(reader) };
  return { ...head, peerUrls: readMany(reader, readText), clientUrls: readMany(reader, readText) };
}

export function writeText(writer: ByteWriter, text: string): void {
  writer.sizedBytes(Buffer.from(text));
}

/** @throws MalformedBytes */
export function readText(reader: ByteReader): string {
  return reader.sizedBytes().toString();
}

export function writeMany<T>(
  writer: ByteWriter,
  items: readonly T[],
  one: (writer: ByteWriter, item: T) => void,
): void {
  writer.varint(items.length);
  for (const item of items) one(writer, item);
}

/** @throws MalformedBytes */
export function readMany<T>(reader: ByteReader, one: (reader: ByteReader) => T): T[] {
  const count = reader.varint();
  if (count < 0 || count > ITEMS_MAX) throw new MalformedBytes(`${count} items in a list`);
  return Array.from({ length: count }, () => one(reader));
}

export function writeAlarm(writer: ByteWriter, { memberId, alarm }: RaisedAlarm): void {
  writer.varint(memberId);
  writer.u8(alarmKinds.indexOf(alarm));
}

/** @throws MalformedBytes */
export function readAlarm(reader: ByteReader): RaisedAlarm {
  const memberId = reader.varint() as NodeId;
  const alarm = alarmKinds[reader.u8()];
  if (alarm === undefined) throw new MalformedBytes('unknown alarm');
  return { memberId, alarm };
}

function keyOf({ memberId, alarm }: RaisedAlarm): string {
  return `${memberId} ${alarm}`;
}
