import { isRefusal, type Refusal } from '../mvcc/refusal.ts';
import { deleteRange, grantLease, put, revokeLease, txn } from '../mvcc/txn.ts';
import { ByteReader, ByteWriter, MalformedBytes } from '../schema/bytes.ts';
import { encode } from '../schema/codec.ts';
import { compactRequest, deleteRangeRequest, putRequest, txnRequest } from '../schema/kv-codecs.ts';
import type {
  CompactResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  LeaseGrantResponse,
  LeaseRevokeResponse,
  PutRequest,
  PutResponse,
  Revision,
  TxnRequest,
  TxnResponse,
} from '../schema/messages.ts';
import { toLeaseId } from '../schema/messages.ts';
import { leaseGrantRequest, leaseIdRequest } from '../schema/other-codecs.ts';
import { type Member, type RaisedAlarm, readAlarm, readMember, writeAlarm, writeMember } from './cluster-state.ts';
import type { State } from './snapshots.ts';

/** What goes through the log. */
export type Command =
  | { readonly kind: 'put'; readonly request: PutRequest }
  | { readonly kind: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly kind: 'txn'; readonly request: TxnRequest }
  | { readonly kind: 'compact'; readonly request: { readonly revision: number } }
  /** The id was chosen before, so that all members agree on it. */
  | { readonly kind: 'leaseGrant'; readonly request: { readonly id: number | bigint; readonly ttlSeconds: number } }
  | { readonly kind: 'leaseRevoke'; readonly request: { readonly id: number | bigint } }
  /** A member tells its name and where it is reached. */
  | { readonly kind: 'memberAttributes'; readonly request: Member }
  | { readonly kind: 'alarm'; readonly request: AlarmRequest };

export interface AlarmRequest extends RaisedAlarm {
  readonly on: boolean;
}

export type CommandResponse =
  | PutResponse
  | DeleteRangeResponse
  | TxnResponse
  | CompactResponse
  | LeaseGrantResponse
  | LeaseRevokeResponse
  | AlarmResponse;

export interface AlarmResponse {
  readonly revision: Revision;
  readonly changed: boolean;
}

const numbers = {
  put: 1,
  deleteRange: 2,
  txn: 3,
  compact: 4,
  leaseGrant: 5,
  leaseRevoke: 6,
  memberAttributes: 7,
  alarm: 8,
} as const;

/** Who waits for the answer to a command: the member that proposed it, and its number there. */
export interface Ticket {
  readonly memberId: number;
  readonly sequence: number;
}

/** @param encoded the request's bytes if they came over a wire: then they are not encoded again */
export function encodeCommand(ticket: Ticket, command: Command, encoded?: Buffer): Buffer {
  const request = encoded ?? encodeRequest(command);
  const writer = new ByteWriter(20 + request.length);
  writer.u8(numbers[command.kind]);
  writer.varint(ticket.memberId);
  writer.varint(ticket.sequence);
  writer.bytes(request);
  return writer.finish();
}

export function readTicket(data: Buffer): Ticket {
  const reader = new ByteReader(data, 1);
  return { memberId: reader.varint(), sequence: reader.varint() };
}

/** @throws MalformedBytes: what is in the log was checked before it got there, so this is corruption. */
export function decodeCommand(data: Buffer): Command {
  const reader = new ByteReader(data);
  const number = reader.u8();
  reader.varint();
  reader.varint();
  switch (number) {
    case numbers.put:
      return { kind: 'put', request: putRequest.read(reader) };
    case numbers.deleteRange:
      return { kind: 'deleteRange', request: deleteRangeRequest.read(reader) };
    case numbers.txn:
      return { kind: 'txn', request: txnRequest.read(reader) };
    case numbers.compact:
      return { kind: 'compact', request: compactRequest.read(reader) };
    case numbers.leaseGrant: {
      const { id = 0, ttlSeconds } = leaseGrantRequest.read(reader);
      return { kind: 'leaseGrant', request: { id, ttlSeconds } };
    }
    case numbers.leaseRevoke:
      return { kind: 'leaseRevoke', request: leaseIdRequest.read(reader) };
    case numbers.memberAttributes:
      return { kind: 'memberAttributes', request: readMember(reader) };
    case numbers.alarm:
      return { kind: 'alarm', request: { ...readAlarm(reader), on: reader.u8() === 1 } };
    default:
      throw new MalformedBytes(`unknown command ${number} in the log`);
  }
}

/** Carries a command out; the same on every member. */
export function applyCommand(state: State, command: Command): CommandResponse | Refusal {
  const { mvcc } = state;
  switch (command.kind) {
    case 'put':
      return put(mvcc, command.request);
    case 'deleteRange':
      return deleteRange(mvcc, command.request);
    case 'txn':
      return txn(mvcc, command.request);
    case 'compact':
      return mvcc.compact(command.request.revision) ?? { revision: mvcc.revision };
    case 'leaseGrant': {
      const { ttlSeconds } = command.request;
      const id = toLeaseId(command.request.id);
      return grantLease(mvcc, id, ttlSeconds) ?? { revision: mvcc.revision, id, ttlSeconds };
    }
    case 'leaseRevoke': {
      const revision = revokeLease(mvcc, toLeaseId(command.request.id));
      return isRefusalOf(revision) ? revision : { revision };
    }
    case 'memberAttributes': {
      if (state.cluster.member(command.request.id) === undefined) return { refused: 'memberNotFound' };
      state.cluster.put(command.request);
      return { revision: mvcc.revision };
    }
    case 'alarm': {
      const { on, ...alarm } = command.request;
      const changed = on ? state.cluster.raise(alarm) : state.cluster.lower(alarm);
      return { revision: mvcc.revision, changed };
    }
  }
}

function encodeRequest(command: Command): Buffer {
  switch (command.kind) {
    case 'put':
      return encode(putRequest, command.request);
    case 'deleteRange':
      return encode(deleteRangeRequest, command.request);
    case 'txn':
      return encode(txnRequest, command.request);
    case 'compact':
      return encode(compactRequest, command.request);
    case 'leaseGrant':
      return encode(leaseGrantRequest, command.request);
    case 'leaseRevoke':
      return encode(leaseIdRequest, command.request);
    case 'memberAttributes':
      return written((writer) => writeMember(writer, command.request));
    case 'alarm':
      return written((writer) => {
        writeAlarm(writer, command.request);
        writer.u8(Number(command.request.on));
      });
  }
}

function written(write: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter();
  write(writer);
  return writer.finish();
}

function isRefusalOf(outcome: number | Refusal): outcome is Refusal {
  return typeof outcome === 'object' && isRefusal(outcome);
}
