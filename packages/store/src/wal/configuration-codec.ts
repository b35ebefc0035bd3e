import type { Configuration, NodeId } from '../raft/types.ts';
import { type ByteReader, type ByteWriter, MalformedBytes } from '../schema/bytes.ts';

/** Far more members than any cluster has; a larger number is garbage. */
const IDS_MAX = 10_000;

/** A configuration on disk and between members. */
export function writeConfiguration(writer: ByteWriter, configuration: Configuration): void {
  for (const ids of [
    configuration.voters,
    configuration.outgoing,
    configuration.learners,
    configuration.learnersNext,
  ]) {
    writer.varint(ids.length);
    for (const id of ids) writer.varint(id);
  }
  writer.u8(Number(configuration.autoLeave));
}

/** @throws MalformedBytes */
export function readConfiguration(reader: ByteReader): Configuration {
  const lists = { voters: readIds(reader), outgoing: readIds(reader) };
  return { ...lists, learners: readIds(reader), learnersNext: readIds(reader), autoLeave: reader.u8() === 1 };
}

/** @throws MalformedBytes */
export function readIds(reader: ByteReader): NodeId[] {
  const count = reader.varint();
  if (count < 0 || count > IDS_MAX) throw new MalformedBytes(`${count} members`);
  return Array.from({ length: count }, () => reader.varint() as NodeId);
}
