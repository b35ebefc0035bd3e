import type { Entry, LogIndex, Message, NodeId, SnapshotMeta, Term } from '../raft/types.ts';
import { type ByteReader, type ByteWriter, MalformedBytes } from '../schema/bytes.ts';
import { readConfiguration, writeConfiguration } from '../wal/configuration-codec.ts';

/** Numbers of the kinds on the wire. */
const kinds: readonly Message['kind'][] = [
  'preVote',
  'vote',
  'preVoteReply',
  'voteReply',
  'append',
  'appendReply',
  'appendReject',
  'heartbeat',
  'heartbeatReply',
  'snapshot',
  'timeoutNow',
  'propose',
  'readIndex',
  'readIndexReply',
];
const FIELDS_MAX = 1_000_000;

/** Consensus messages between members: our own format, for nobody else reads it. */
export function writeMessage(writer: ByteWriter, message: Message): void {
  writer.u8(kinds.indexOf(message.kind));
  writer.varint(message.from);
  writer.varint(message.to);
  writer.varint(message.term);
  switch (message.kind) {
    case 'preVote':
    case 'vote':
      writer.varint(message.lastIndex);
      writer.varint(message.lastTerm);
      writer.u8(Number(message.transfer));
      return;
    case 'preVoteReply':
    case 'voteReply':
      writer.u8(Number(message.granted));
      return;
    case 'append':
      writer.varint(message.prevIndex);
      writer.varint(message.prevTerm);
      writer.varint(message.commit);
      writeEntries(writer, message.entries);
      return;
    case 'appendReply':
      writer.varint(message.match);
      return;
    case 'appendReject':
      writer.varint(message.prevIndex);
      writer.varint(message.hintIndex);
      writer.varint(message.hintTerm);
      return;
    case 'heartbeat':
      writer.varint(message.commit);
      writer.varint(message.round);
      return;
    case 'heartbeatReply':
      writer.varint(message.round);
      return;
    case 'snapshot':
      writeSnapshotMeta(writer, message.snapshot);
      return;
    case 'timeoutNow':
      return;
    case 'propose':
      writer.varint(message.data.length);
      for (const data of message.data) writer.sizedBytes(data);
      return;
    case 'readIndex':
      writer.varint(message.context);
      return;
    case 'readIndexReply':
      writer.varint(message.context);
      writer.varint(message.index);
  }
}

/** Entry data are copied out: they stay in the log long after the socket's chunk is done with. @throws MalformedBytes */
export function readMessage(reader: ByteReader): Message {
  const kind = kinds[reader.u8()];
  const head = { from: reader.varint() as NodeId, to: reader.varint() as NodeId, term: reader.varint() as Term };
  const index = () => reader.varint() as LogIndex;
  const term = () => reader.varint() as Term;
  switch (kind) {
    case 'preVote':
    case 'vote':
      return { ...head, kind, lastIndex: index(), lastTerm: term(), transfer: reader.u8() === 1 };
    case 'preVoteReply':
    case 'voteReply':
      return { ...head, kind, granted: reader.u8() === 1 };
    case 'append': {
      const prev = { prevIndex: index(), prevTerm: term(), commit: index() };
      return { ...head, kind, ...prev, entries: readEntries(reader, prev.prevIndex) };
    }
    case 'appendReply':
      return { ...head, kind, match: index() };
    case 'appendReject':
      return { ...head, kind, prevIndex: index(), hintIndex: index(), hintTerm: term() };
    case 'heartbeat':
      return { ...head, kind, commit: index(), round: reader.varint() };
    case 'heartbeatReply':
      return { ...head, kind, round: reader.varint() };
    case 'snapshot':
      return { ...head, kind, snapshot: readSnapshotMeta(reader) };
    case 'timeoutNow':
      return { ...head, kind };
    case 'propose':
      return { ...head, kind, data: readMany(reader, () => Buffer.from(reader.sizedBytes())) };
    case 'readIndex':
      return { ...head, kind, context: reader.varint() };
    case 'readIndexReply':
      return { ...head, kind, context: reader.varint(), index: index() };
    default:
      throw new MalformedBytes('unknown kind of peer message');
  }
}

/** Indexes follow from the first one, so only terms and data travel. */
function writeEntries(writer: ByteWriter, entries: readonly Entry[]): void {
  writer.varint(entries.length);
  for (const { term, data, kind } of entries) {
    writer.varint(term);
    writer.u8(kind === undefined ? 0 : 1);
    writer.sizedBytes(data);
  }
}

function readEntries(reader: ByteReader, prevIndex: LogIndex): Entry[] {
  let index = prevIndex;
  return readMany(reader, () => {
    index = (index + 1) as LogIndex;
    const term = reader.varint() as Term;
    const isCommand = reader.u8() === 0;
    const entry = { index, term, data: Buffer.from(reader.sizedBytes()) };
    return isCommand ? entry : { ...entry, kind: 'configuration' };
  });
}

function writeSnapshotMeta(writer: ByteWriter, meta: SnapshotMeta): void {
  writer.varint(meta.index);
  writer.varint(meta.term);
  writeConfiguration(writer, meta.configuration);
}

function readSnapshotMeta(reader: ByteReader): SnapshotMeta {
  const at = { index: reader.varint() as LogIndex, term: reader.varint() as Term };
  return { ...at, configuration: readConfiguration(reader) };
}

function readMany<T>(reader: ByteReader, one: () => T): T[] {
  const count = reader.varint();
  if (count < 0 || count > FIELDS_MAX) throw new MalformedBytes(`${count} items in a peer message`);
  const items: T[] = [];
  for (let i = 0; i < count; i++) items.push(one());
  return items;
}
