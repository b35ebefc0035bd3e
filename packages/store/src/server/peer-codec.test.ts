import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type LogIndex, type Message, type NodeId, type Term, votersOnly } from '../raft/types.ts';
import { ByteReader, ByteWriter, MalformedBytes } from '../schema/bytes.ts';
import { readMessage, writeMessage } from './peer-codec.ts';

const head = { from: (2 ** 50) as NodeId, to: 3 as NodeId, term: 9 as Term };
const index = (value: number) => value as LogIndex;
const term = (value: number) => value as Term;
const voters = [1, 2, 3] as NodeId[];

const messages: readonly Message[] = [
  { ...head, kind: 'preVote', lastIndex: index(5), lastTerm: term(2), transfer: true },
  { ...head, kind: 'vote', lastIndex: index(5), lastTerm: term(2), transfer: false },
  { ...head, kind: 'preVoteReply', granted: true },
  { ...head, kind: 'voteReply', granted: false },
  {
    ...head,
    kind: 'append',
    prevIndex: index(7),
    prevTerm: term(3),
    commit: index(6),
    entries: [
      { index: index(8), term: term(4), data: Buffer.from('x') },
      { index: index(9), term: term(4), data: Buffer.alloc(0) },
    ],
  },
  { ...head, kind: 'appendReply', match: index(300) },
  { ...head, kind: 'appendReject', prevIndex: index(3), hintIndex: index(2), hintTerm: term(1) },
  { ...head, kind: 'heartbeat', commit: index(4), round: 12 },
  { ...head, kind: 'heartbeatReply', round: 12 },
  { ...head, kind: 'snapshot', snapshot: { index: index(4), term: term(2), configuration: votersOnly(voters) } },
  { ...head, kind: 'timeoutNow' },
  { ...head, kind: 'propose', data: [Buffer.from('a'), Buffer.from('bc')] },
  { ...head, kind: 'readIndex', context: 2 ** 48 },
  { ...head, kind: 'readIndexReply', context: 1, index: index(4) },
];

it.each(messages.map((message) => [message.kind, message] as const))('%s comes back as it went', (_kind, message) => {
  const writer = new ByteWriter();
  writeMessage(writer, message);
  expect(readMessage(new ByteReader(writer.finish()))).toEqual(message);
});

it('garbage is decoded or refused, never a crash', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        readMessage(new ByteReader(Buffer.from(bytes)));
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedBytes);
      }
    }),
    { numRuns: 2000 },
  );
});
