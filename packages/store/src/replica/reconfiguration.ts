import type { Refusal } from '../mvcc/refusal.ts';
import type { ConfigurationChange, MemberChange, NodeId } from '../raft/types.ts';
import { ByteReader, ByteWriter, MalformedBytes } from '../schema/bytes.ts';
import { type ClusterState, type Member, readMany, readMember, writeMany, writeMember } from './cluster-state.ts';
import type { Ticket } from './command.ts';

/** A change of members as it stands in the log: who votes, and who the new ones are. */
export interface Reconfiguration {
  readonly change: ConfigurationChange;
  /** New members; one that is promoted or demoted is known already. */
  readonly added: readonly Member[];
}

/** Where the numbers of commands (`command.ts`) stand; the ticket follows, as with them. */
const MARK = 0;
const transitions: readonly ConfigurationChange['transition'][] = ['auto', 'jointImplicit', 'jointExplicit'];
const kinds: readonly MemberChange['kind'][] = ['addVoter', 'addLearner', 'remove'];
const leave: Reconfiguration = { change: { transition: 'auto', changes: [] }, added: [] };

export function encodeReconfiguration(ticket: Ticket, { change, added }: Reconfiguration): Buffer {
  const writer = new ByteWriter();
  writer.u8(MARK);
  writer.varint(ticket.memberId);
  writer.varint(ticket.sequence);
  writer.u8(transitions.indexOf(change.transition));
  writeMany(writer, change.changes, (to, { kind, id }) => {
    to.u8(kinds.indexOf(kind));
    to.varint(id);
  });
  writeMany(writer, added, writeMember);
  return writer.finish();
}

/** @throws MalformedBytes */
export function decodeReconfiguration(data: Buffer): Reconfiguration {
  // The leader itself leaves a joint configuration, in few words.
  if (data.length === 0) return leave;
  const reader = new ByteReader(data, 1);
  reader.varint();
  reader.varint();
  const transition = transitions[reader.u8()];
  const changes = readMany(reader, readChange);
  if (transition === undefined) throw new MalformedBytes('unknown transition');
  return { change: { transition, changes }, added: readMany(reader, readMember) };
}

/** Why the members cannot be changed like that; undefined if they can. */
export function refusalOf(cluster: ClusterState, { change, added }: Reconfiguration): Refusal | undefined {
  const urls = new Set(cluster.members.flatMap(({ peerUrls }) => peerUrls));
  for (const { id, peerUrls } of added) {
    if (cluster.member(id) !== undefined || cluster.isRemoved(id)) return { refused: 'memberExists' };
    if (peerUrls.some((url) => urls.has(url))) return { refused: 'peerUrlExists' };
  }
  const known = (id: NodeId) => cluster.member(id) !== undefined || added.some((member) => member.id === id);
  return change.changes.every(({ id }) => known(id)) ? undefined : { refused: 'memberNotFound' };
}

/** Carries out what `refusalOf` found possible; the same on every member. */
export function applyReconfiguration(cluster: ClusterState, { change, added }: Reconfiguration): void {
  for (const member of added) cluster.put(member);
  for (const { kind, id } of change.changes) if (kind === 'remove') cluster.remove(id);
}

function readChange(reader: ByteReader): MemberChange {
  const kind = kinds[reader.u8()];
  if (kind === undefined) throw new MalformedBytes('unknown change of a member');
  return { kind, id: reader.varint() as NodeId };
}
