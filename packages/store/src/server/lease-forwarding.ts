import { isRefusal, type Refusal } from '../mvcc/refusal.ts';
import { NOBODY, type NodeId } from '../raft/types.ts';
import type { Replica } from '../replica/replica.ts';
import type { Answer } from '../replica/waiters.ts';
import { ByteReader, ByteWriter, MalformedBytes } from '../schema/bytes.ts';
import { type Codec, encode, NO_FACTS } from '../schema/codec.ts';
import { isStoreErrorKind } from '../schema/errors.ts';
import { answers, requests } from '../schema/frames.ts';
import {
  leaseIdRequest,
  leaseKeepAliveResponse,
  leaseTimeToLiveRequest,
  leaseTimeToLiveResponse,
  wireError,
} from '../schema/other-codecs.ts';
import type { Requests } from './requests.ts';

/** Asks another member; undefined if it does not answer. */
export type AskMember = (member: NodeId, question: Buffer) => Promise<Buffer | undefined>;

/** Only the leader counts lease time: what a follower is asked about it, it asks the leader. */
export class LeaseForwarding {
  readonly #replica: Replica;
  readonly #ask: AskMember;

  constructor(replica: Replica, ask: AskMember) {
    this.#replica = replica;
    this.#ask = ask;
  }

  /** Passes a request on, in the form the framed door has it. @param kind of `frames.ts` */
  forward<T extends object>(kind: number, request: Buffer, response: Codec<T>, answer: Answer<T>): void {
    const { leader } = this.#replica.raft;
    if (leader === NOBODY || this.#replica.isLeader)
      answer({ refused: leader === NOBODY ? 'noLeader' : 'leaderChanged' });
    else void this.#passOn(leader, Buffer.concat([Buffer.from([kind]), request]), response, answer);
  }

  async #passOn<T extends object>(leader: NodeId, question: Buffer, codec: Codec<T>, answer: Answer<T>): Promise<void> {
    const bytes = await this.#ask(leader, question);
    answer(bytes === undefined ? { refused: 'timeout' } : readAnswer(bytes, codec));
  }
}

function readAnswer<T extends object>(bytes: Buffer, codec: Codec<T>): T | Refusal {
  const reader = new ByteReader(bytes);
  if (reader.u8() === answers.ok) return codec.read(reader);
  const { kind, detail } = wireError.read(reader);
  const refused = isStoreErrorKind(kind) ? kind : 'unavailable';
  return { refused, ...(detail === undefined ? {} : { detail }) };
}

/** The leader's side: answers what another member passes on. A member that does not lead says so. */
export function answerMember(all: Requests, question: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const respond = <T extends object>(codec: Codec<T>): Answer<T> => {
      return (outcome) => resolve(writeAnswer(codec, outcome));
    };
    const reader = new ByteReader(question);
    const kind = reader.u8();
    if (kind === requests.leaseKeepAlive) {
      all.renewAsLeader(leaseIdRequest.read(reader).id, respond(leaseKeepAliveResponse));
    } else if (kind === requests.leaseTimeToLive) {
      const { id, keys } = leaseTimeToLiveRequest.read(reader);
      all.timeToLiveAsLeader(id, keys === true, respond(leaseTimeToLiveResponse));
    } else throw new MalformedBytes(`unknown question ${kind}`);
  });
}

function writeAnswer<T extends object>(codec: Codec<T>, outcome: T | Refusal): Buffer {
  const writer = new ByteWriter(64);
  writer.u8(isRefusal(outcome) ? answers.error : answers.ok);
  if (isRefusal(outcome)) writer.bytes(encode(wireError, { kind: outcome.refused }));
  else codec.write(writer, outcome, NO_FACTS);
  return writer.finish();
}
