import { describe, expect, it } from 'vitest';
import { TestCluster } from './test-cluster.ts';
import { type LogIndex, type NodeId, type Term, votersOnly } from './types.ts';

const id = (n: number) => n as NodeId;

/** Three members, the first of which leads term 1 with its opening entry committed everywhere. */
function ledByOne(): TestCluster {
  const cluster = new TestCluster([1, 2, 3]);
  cluster.tick(1, 11);
  cluster.settle();
  cluster.tick(1);
  cluster.settle();
  cluster.transcript();
  return cluster;
}

describe('one member', () => {
  it('leads and commits by itself, but nothing before it is durable', () => {
    const cluster = new TestCluster([1]);
    expect(cluster.transcript()).toEqual(['1 state term=1 vote=1 commit=0', '1 write 1/1', '1 apply 1/1']);
    cluster.slowDisk.add(id(1));
    cluster.propose(1, 'a', 'b');
    expect(cluster.transcript()).toEqual(['1 state term=1 vote=1 commit=1', '1 write 1/2"a" 1/3"b"']);
    cluster.flush(1);
    expect(cluster.transcript()).toEqual(['1 apply 1/2"a" 1/3"b"']);
  });

  it('answers reads at once', () => {
    const cluster = new TestCluster([1]);
    cluster.input(1, { kind: 'read', context: 7 });
    expect(cluster.reads).toEqual(['1: 7 at 1']);
  });
});

describe('election', () => {
  it('asks whether it would win before it opens a term', () => {
    const cluster = new TestCluster([1, 2, 3]);
    cluster.tick(1, 11);
    expect(cluster.transcript()).toEqual([
      '1 send preVote to=2 term=1 last=0/0',
      '1 send preVote to=3 term=1 last=0/0',
    ]);
    cluster.deliver();
    expect(cluster.transcript()).toEqual([
      '2 send preVoteReply to=1 term=1 granted',
      '3 send preVoteReply to=1 term=1 granted',
    ]);
    cluster.deliver();
    expect(cluster.transcript()).toEqual([
      '1 state term=1 vote=1 commit=0',
      '1 send vote to=2 term=1 last=0/0',
      '1 send vote to=3 term=1 last=0/0',
    ]);
    cluster.deliver();
    expect(cluster.transcript()).toEqual([
      '2 state term=1 vote=1 commit=0',
      '2 then send voteReply to=1 term=1 granted',
      '3 state term=1 vote=1 commit=0',
      '3 then send voteReply to=1 term=1 granted',
    ]);
    cluster.deliver();
    expect(cluster.transcript()).toEqual([
      '1 write 1/1',
      '1 send append to=2 term=1 after=0/0 [1/1] commit=0',
      '1 send append to=3 term=1 after=0/0 [1/1] commit=0',
    ]);
    cluster.settle();
    expect(cluster.member(1).role).toBe('leader');
    expect([2, 3].map((n) => cluster.member(n).leader)).toEqual([1, 1]);
  });

  it('does not grant while it hears from a leader, so a member cut off deposes nobody on its return', () => {
    const cluster = ledByOne();
    cluster.cut.add(id(3));
    cluster.tick(3, 60);
    cluster.propose(1, 'a');
    cluster.settle();
    cluster.cut.clear();
    cluster.tick(3, 20);
    cluster.settle();
    expect(cluster.member(1).role).toBe('leader');
    expect(cluster.member(3).term).toBe(1);
  });

  it('refuses a candidate whose log is behind', () => {
    const cluster = ledByOne();
    cluster.cut.add(id(3));
    cluster.propose(1, 'a');
    cluster.settle();
    cluster.cut.clear();
    cluster.cut.add(id(1));
    cluster.tick(2, 10);
    cluster.tick(3, 14);
    cluster.settle();
    expect(cluster.member(3).role).not.toBe('leader');
    cluster.tick(2, 12);
    cluster.settle();
    expect(cluster.member(2).role).toBe('leader');
    expect(cluster.appliedText(3)).toBe('a');
  });

  it('remembers its vote over a restart', () => {
    const cluster = new TestCluster([1, 2, 3]);
    cluster.tick(1, 11);
    cluster.deliver();
    cluster.deliver();
    cluster.deliver();
    cluster.wires = [];
    cluster.start(id(2), 12);
    cluster.transcript();
    const vote = { kind: 'vote', from: id(3), to: id(2), term: 1 as Term, transfer: false } as const;
    cluster.input(2, { kind: 'message', message: { ...vote, lastIndex: 9 as LogIndex, lastTerm: 0 as Term } });
    expect(cluster.transcript()).toEqual(['2 then send voteReply to=3 term=1 refused']);
  });

  it('steps down when a quorum is silent (check-quorum)', () => {
    const cluster = ledByOne();
    cluster.cut.add(id(1));
    cluster.tick(1, 20);
    expect(cluster.member(1).role).toBe('follower');
    cluster.propose(1, 'a');
    expect(cluster.transcript().at(-1)).toBe('1 refuse noLeader');
  });

  it('starts at once when the connections to the leader break, and only then', () => {
    const cluster = ledByOne();
    cluster.cut.add(id(1));
    cluster.input(2, { kind: 'connection', peer: id(1), up: false });
    cluster.settle();
    expect(cluster.member(2).role).toBe('preCandidate');
    cluster.input(3, { kind: 'connection', peer: id(1), up: false });
    cluster.settle();
    expect(cluster.member(2).role).toBe('leader');
    expect(cluster.member(3).leader).toBe(2);
  });

  const lose = (cluster: TestCluster, leader: number, ...members: readonly number[]) => {
    cluster.cut.add(id(leader));
    for (const member of members) cluster.input(member, { kind: 'connection', peer: id(leader), up: false });
    cluster.settle();
  };
  const meet = (cluster: TestCluster, one: number, other: number) => {
    cluster.input(one, { kind: 'connection', peer: id(other), up: true });
    cluster.input(other, { kind: 'connection', peer: id(one), up: true });
    cluster.settle();
  };

  it('is won by whoever has the longer log, without a second round, when the first in turn has not', () => {
    const cluster = ledByOne();
    meet(cluster, 2, 3);
    cluster.cut.add(id(2));
    cluster.propose(1, 'a');
    cluster.settle();
    cluster.cut.clear();
    lose(cluster, 1, 3, 2);
    expect(cluster.member(3).role).toBe('leader');
    expect(cluster.appliedText(2)).toBe('a');
  });

  it('does not wait for timers when members that have just started meet', () => {
    const cluster = new TestCluster([1, 2, 3]);
    meet(cluster, 1, 3);
    expect(cluster.member(1).role).toBe('leader');
    meet(cluster, 1, 2);
    meet(cluster, 2, 3);
    expect([1, 2, 3].map((n) => cluster.member(n).term)).toEqual([1, 1, 1]);
  });

  it('asks for votes before its own is durable, but does not lead', () => {
    const cluster = new TestCluster([1, 2, 3]);
    cluster.slowDisk.add(id(1));
    cluster.tick(1, 11);
    cluster.settle();
    expect(cluster.disk(2).hardState.vote).toBe(1);
    expect(cluster.member(1).role).toBe('candidate');
    cluster.flush(1);
    expect(cluster.member(1).role).toBe('leader');
  });

  it('is not split between two that ask at the same moment', () => {
    const cluster = ledByOne();
    cluster.cut.add(id(1));
    cluster.tick(2, 11);
    cluster.tick(3, 12);
    cluster.tick(2, 1);
    cluster.settle();
    expect([2, 3].map((n) => cluster.member(n).role)).toEqual(['leader', 'follower']);
    expect(cluster.member(2).term).toBe(2);
  });

  it('asks again what may have been lost', () => {
    const cluster = ledByOne();
    cluster.cut.add(id(1));
    cluster.tick(3, 10);
    cluster.tick(2, 12);
    cluster.wires = [];
    cluster.tick(2);
    cluster.settle();
    expect(cluster.member(2).role).toBe('leader');
  });

  it('hands leadership over without a timeout', () => {
    const cluster = ledByOne();
    cluster.propose(1, 'a');
    cluster.input(1, { kind: 'transfer', to: id(3) });
    cluster.propose(1, 'b');
    expect(cluster.transcript()).toContain('1 refuse transferring');
    cluster.settle();
    expect(cluster.member(3).role).toBe('leader');
    expect(cluster.appliedText(2)).toBe('a');
  });
});

describe('replication', () => {
  it('commits with a quorum, the own disk being one vote of it', () => {
    const cluster = ledByOne();
    cluster.slowDisk.add(id(1));
    cluster.cut.add(id(3));
    cluster.propose(1, 'a');
    cluster.settle();
    expect(cluster.appliedText(1)).toBe('');
    cluster.cut.clear();
    cluster.tick(1);
    cluster.settle();
    expect(cluster.member(1).committed).toBe(2);
    expect(cluster.appliedText(1)).toBe('');
    cluster.flush(1);
    expect(cluster.appliedText(1)).toBe('a');
  });

  it('overwrites what an old leader could not commit', () => {
    const cluster = ledByOne();
    cluster.cut.add(id(1));
    cluster.propose(1, 'lost', 'lost');
    cluster.tick(2, 12);
    cluster.tick(3, 10);
    cluster.tick(2, 12);
    cluster.settle();
    cluster.propose(2, 'kept');
    cluster.settle();
    cluster.cut.clear();
    cluster.tick(2);
    cluster.settle();
    expect([1, 2, 3].map((n) => cluster.appliedText(n))).toEqual(['kept', 'kept', 'kept']);
    expect(cluster.disk(1).entries.map((entry) => entry.data.toString())).toEqual(['', '', 'kept']);
  });

  it('forwards proposals and reads of a follower', () => {
    const cluster = ledByOne();
    cluster.propose(2, 'a');
    cluster.settle();
    expect(cluster.appliedText(2)).toBe('a');
    cluster.input(3, { kind: 'read', context: 5 });
    cluster.settle();
    expect(cluster.reads).toEqual(['3: 5 at 2']);
  });

  it('answers a read only after a quorum confirmed the leader', () => {
    const cluster = ledByOne();
    cluster.cut.add(id(1));
    cluster.input(1, { kind: 'read', context: 1 });
    cluster.settle();
    expect(cluster.reads).toEqual([]);
    cluster.cut.clear();
    cluster.input(1, { kind: 'read', context: 2 });
    cluster.tick(1);
    cluster.settle();
    expect(cluster.reads).toEqual(['1: 1 at 1', '1: 2 at 1']);
  });

  it('sends a snapshot to a follower whose entries are gone, then goes on', () => {
    const cluster = ledByOne();
    cluster.cut.add(id(3));
    cluster.propose(1, 'a', 'b');
    cluster.settle();
    const snapshot = { index: 3 as LogIndex, term: 1 as Term, configuration: votersOnly([id(1), id(2), id(3)]) };
    cluster.input(1, { kind: 'snapshotTaken', snapshot, keepFrom: 4 as LogIndex });
    cluster.cut.clear();
    cluster.propose(1, 'c');
    cluster.tick(1);
    cluster.settle();
    cluster.input(1, { kind: 'snapshotSent', peer: id(3), delivered: true });
    cluster.tick(1);
    cluster.settle();
    expect(cluster.transcript()).toContain('3 install 3');
    expect(cluster.appliedText(3)).toBe('c');
    expect(cluster.member(3).committed).toBe(4);
  });

  it('stops sending to a follower that does not answer', () => {
    const cluster = ledByOne();
    for (let i = 0; i < 300; i++) cluster.propose(1, `${i}`);
    const waiting = cluster.wires.filter((message) => message.kind === 'append' && message.to === 2);
    expect(waiting.length).toBe(256);
    cluster.settle();
    expect(cluster.member(2).committed).toBe(301);
  });
});
