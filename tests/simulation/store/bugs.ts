import { History } from '../../../packages/store/src/mvcc/history.ts';
import { WatchHub } from '../../../packages/store/src/mvcc/watch-hub.ts';
import { RaftLog } from '../../../packages/store/src/raft/log.ts';
import { Progress } from '../../../packages/store/src/raft/progress.ts';
import { Raft } from '../../../packages/store/src/raft/raft.ts';
import { type LogIndex, type Message, NOBODY } from '../../../packages/store/src/raft/types.ts';
import { Replica } from '../../../packages/store/src/replica/replica.ts';
import { SnapshotTraffic } from '../../../packages/store/src/replica/snapshot-traffic.ts';
import { Waiters } from '../../../packages/store/src/replica/waiters.ts';
import { SimulatedDisk } from '../../../packages/store/src/wal/simulated-disk.ts';
import { Wal } from '../../../packages/store/src/wal/wal.ts';

/** A mistake somebody might make. `plant` puts it into the code and returns what takes it out again. */
export interface Bug {
  readonly name: string;
  readonly plant: () => () => void;
  /** Bites only where members die in the middle of elections. */
  readonly needsStorm?: true;
}

/** Replaces a method of a class, given the right one. */
function wrong<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  make: (right: T[K]) => T[K] & ThisType<T>,
): () => () => void {
  return () => {
    const right = prototype[name];
    prototype[name] = make(right);
    return () => {
      prototype[name] = right;
    };
  };
}

export const bugs: readonly Bug[] = [
  {
    name: 'a vote is not persisted',
    needsStorm: true,
    plant: wrong(
      Wal.prototype,
      'append',
      (right) =>
        function (this: Wal, batch) {
          const { hardState } = batch;
          return right.call(
            this,
            hardState === undefined ? batch : { ...batch, hardState: { ...hardState, vote: NOBODY } },
          );
        },
    ),
  },
  {
    name: 'the term is not persisted',
    plant: wrong(
      Wal.prototype,
      'append',
      (right) =>
        function (this: Wal, batch) {
          return right.call(this, { ...batch, hardState: undefined });
        },
    ),
  },
  {
    name: 'what waits for the disk is sent before it',
    plant: wrong(
      Raft.prototype,
      'take',
      (right) =>
        function (this: Raft) {
          const output = right.call(this);
          return { ...output, sendNow: [...output.sendNow, ...output.sendAfterPersist], sendAfterPersist: [] };
        },
    ),
  },
  {
    name: 'the disk is not waited for',
    plant: wrong(
      SimulatedDisk.prototype,
      'open',
      (right) =>
        async function (this: SimulatedDisk, name) {
          const file = await right.call(this, name);
          return { ...file, writeDurably: file.write, sync: async () => undefined };
        },
    ),
  },
  {
    name: 'votes go to candidates whose log is behind',
    plant: wrong(RaftLog.prototype, 'isUpToDate', () => () => true),
  },
  {
    name: 'a read is answered without asking the others',
    plant: wrong(Replica.prototype, 'read', () => (answer) => answer(undefined)),
  },
  {
    name: 'a watch goes on at the wrong revision after a snapshot',
    plant: wrong(
      WatchHub.prototype,
      'moveTo',
      (right) =>
        function (this: WatchHub, other) {
          const before = this.watchers;
          right.call(this, other);
          for (const watcher of before) watcher.nextRevision++;
        },
    ),
  },
  {
    name: 'entries are applied before they are durable here',
    plant: wrong(
      RaftLog.prototype,
      'applicableTo',
      () =>
        function (this: RaftLog) {
          return this.committed;
        },
    ),
  },
  {
    name: 'a follower is believed to have what it was only sent',
    plant: wrong(
      Progress.prototype,
      'acknowledge',
      (right) =>
        function (this: Progress, match) {
          return right.call(this, Math.max(match, this.next - 1) as LogIndex);
        },
    ),
  },
  {
    name: 'what may have happened is said not to have happened',
    plant: wrong(
      Waiters.prototype,
      'refuseAll',
      (right) =>
        function (this: Waiters<unknown, unknown>) {
          right.call(this, 'noLeader');
        },
    ),
  },
  {
    name: 'a snapshot claims one entry more than it holds',
    plant: wrong(
      SnapshotTraffic.prototype,
      'take',
      (right) =>
        function (this: SnapshotTraffic, state, meta, keepFrom) {
          right.call(this, state, { ...meta, index: (meta.index - 1) as LogIndex }, keepFrom);
        },
    ),
  },
  {
    name: 'a heartbeat tells the commit index, whatever the follower has',
    plant: wrong(
      Raft.prototype,
      'take',
      (right) =>
        function (this: Raft) {
          const output = right.call(this);
          const commit = this.committed;
          const tell = (message: Message): Message => (message.kind === 'heartbeat' ? { ...message, commit } : message);
          return { ...output, sendNow: output.sendNow.map(tell) };
        },
    ),
  },
  {
    name: 'messages of a former term are taken for new',
    plant: wrong(
      Raft.prototype,
      'step',
      (right) =>
        function (this: Raft, input) {
          const isOld = input.kind === 'message' && input.message.term < this.term;
          right.call(this, isOld ? { ...input, message: { ...input.message, term: this.term } } : input);
        },
    ),
  },
  {
    name: 'history forgets the first change that a watch behind it needs',
    plant: wrong(
      History.prototype,
      'positionOf',
      (right) =>
        function (this: History, revision) {
          return right.call(this, revision + 1);
        },
    ),
  },
  {
    name: 'a conflicting entry stays',
    plant: wrong(
      RaftLog.prototype,
      'merge',
      (right) =>
        function (this: RaftLog, entries) {
          right.call(
            this,
            entries.filter(({ index }) => index > this.lastIndex),
          );
        },
    ),
  },
  {
    name: 'a rename is not made durable',
    plant: wrong(SimulatedDisk.prototype, 'syncDirectory', () => async () => undefined),
  },
];
