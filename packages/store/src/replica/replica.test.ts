import { seededRandom, silentLogger, VirtualClock } from '@wherry/daemon';
import { describe, expect, it } from 'vitest';
import { range } from '../mvcc/range.ts';
import { isRefusal, type Refusal } from '../mvcc/refusal.ts';
import type { NodeId } from '../raft/types.ts';
import { SimulatedDisk } from '../wal/simulated-disk.ts';
import type { Command, CommandResponse } from './command.ts';
import { type ReplicaOptions, replicaDefaults } from './options.ts';
import { noPeers } from './peers.ts';
import type { Replica } from './replica.ts';
import { startReplica } from './testing.ts';

const memberId = 1 as NodeId;

async function start(
  disk: SimulatedDisk,
  clock: VirtualClock,
  options: Partial<ReplicaOptions> = {},
): Promise<Replica> {
  const onFatal = (error: unknown) => {
    throw error;
  };
  const parts = { disk, clock, peers: noPeers, random: seededRandom(1), logger: silentLogger, onFatal };
  return startReplica({ ...replicaDefaults, clusterId: 1, memberId, voters: [memberId], ...options }, parts);
}

function propose(replica: Replica, command: Command): Promise<CommandResponse | Refusal> {
  return new Promise((resolve) => replica.propose(command, undefined, resolve));
}

const put = (replica: Replica, key: string, value = '', lease = 0) =>
  propose(replica, { kind: 'put', request: { key, value, lease } });

function keys(replica: Replica): string {
  const response = range(replica.mvcc, { key: '\0', rangeEnd: '\0' });
  return isRefusal(response) ? response.refused : response.kvs.map((kv) => `${kv.key}=${kv.value}`).join(' ');
}

const newDisk = () => new SimulatedDisk({ random: () => 0 });

describe('a member alone', () => {
  it('keeps acknowledged writes over a crash', async () => {
    const disk = newDisk();
    const clock = new VirtualClock();
    const replica = await start(disk, clock);
    expect(await put(replica, 'a', '1')).toEqual({ revision: 2 });
    await Promise.all([put(replica, 'b', '1'), put(replica, 'c', '1')]);
    disk.crash();
    const again = await start(disk, clock);
    await new Promise<void>((resolve) => again.read(() => resolve()));
    expect(keys(again)).toBe('a=1 b=1 c=1');
    expect(await put(again, 'd')).toEqual({ revision: 5 });
  });

  it('starts from a snapshot and the log behind it', async () => {
    const disk = newDisk();
    const clock = new VirtualClock();
    const replica = await start(disk, clock, { snapshotCount: 10 });
    for (let i = 0; i < 25; i++) {
      await put(replica, `${i % 3}`, `${i}`);
      await clock.advance(100);
    }
    await clock.advance(1000);
    expect((await disk.list()).filter((name) => name.endsWith('.snap')).length).toBe(1);
    await put(replica, 'last', 'x');
    const before = keys(replica);
    disk.crash();
    const again = await start(disk, clock);
    await new Promise<void>((resolve) => again.read(() => resolve()));
    expect(again.raft.firstIndex).toBeGreaterThan(10);
    expect(keys(again)).toBe(before);
    expect(again.mvcc.revision).toBe(27);
  });

  it('ends leases in time, and gives them their full time again after a restart', async () => {
    const disk = newDisk();
    const clock = new VirtualClock();
    const replica = await start(disk, clock);
    await propose(replica, { kind: 'leaseGrant', request: { id: 7, ttlSeconds: 5 } });
    await put(replica, 'a', '', 7);
    await clock.advance(4000);
    await replica.close();
    const again = await start(disk, clock);
    await clock.advance(4900);
    expect(keys(again)).toBe('a=');
    await clock.advance(300);
    expect(keys(again)).toBe('');
    expect(again.mvcc.leases.size).toBe(0);
  });

  it('refuses to grow beyond its quota, but deletes', async () => {
    const clock = new VirtualClock();
    const replica = await start(newDisk(), clock, { quotaBytes: 2000 });
    expect(await put(replica, 'a', 'x'.repeat(2000))).toEqual({ revision: 2 });
    expect(await put(replica, 'b', 'x')).toEqual({ refused: 'noSpace' });
    await propose(replica, { kind: 'deleteRange', request: { key: 'a' } });
    await propose(replica, { kind: 'compact', request: { revision: 3 } });
    await clock.advance(200);
    // Room alone is not enough: an operator has to say that it is (etcd's NOSPACE alarm).
    expect(await put(replica, 'b', 'x')).toEqual({ refused: 'noSpace' });
    expect(replica.cluster.alarms).toEqual([{ memberId, alarm: 'NOSPACE' }]);
    await propose(replica, { kind: 'alarm', request: { memberId, alarm: 'NOSPACE', on: false } });
    expect(await put(replica, 'b', 'x')).toEqual({ revision: 4 });
  });

  it('answers what is in flight when it stops', async () => {
    const replica = await start(newDisk(), new VirtualClock());
    const answer = put(replica, 'a');
    await replica.close();
    expect(await answer).toEqual({ refused: 'stopped' });
  });

  it('stops for good when the disk fails', async () => {
    let broken = false;
    const delay = async () => {
      if (broken) throw new Error('EIO');
    };
    const disk = new SimulatedDisk({ random: () => 0, delay });
    const failures: unknown[] = [];
    const parts = { disk, clock: new VirtualClock(), peers: noPeers, random: seededRandom(1), logger: silentLogger };
    const options = { ...replicaDefaults, clusterId: 1, memberId, voters: [memberId] };
    const replica = await startReplica(options, { ...parts, onFatal: (error) => failures.push(error) });
    await put(replica, 'a');
    broken = true;
    expect(await put(replica, 'b')).toEqual({ refused: 'stopped' });
    expect(String(failures)).toContain('EIO');
    expect(await put(replica, 'c')).toEqual({ refused: 'stopped' });
  });
});
