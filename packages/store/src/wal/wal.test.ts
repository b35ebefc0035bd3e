import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Entry, type HardState, type LogIndex, type NodeId, type Term, votersOnly } from '../raft/types.ts';
import { crc32c } from './crc32c.ts';
import type { Disk } from './disk.ts';
import { openRealDisk } from './real-disk.ts';
import { recover, segmentName } from './recovery.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { loadNewestSnapshot, SnapshotWriter, snapshotName } from './snapshot-file.ts';
import { Wal } from './wal.ts';

const identity = { clusterId: 7, memberId: 1 };
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const disks: Record<string, () => Promise<Disk>> = {
  'simulated disk': async () => new SimulatedDisk({ random: () => 0.5 }),
  'real disk': async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wherry-wal-'));
    folders.push(folder);
    return openRealDisk(folder);
  },
};

const entry = (index: number, text = `e${index}`, term = 1): Entry => ({
  index: index as LogIndex,
  term: term as Term,
  data: Buffer.from(text),
});
const state = (term: number, commit = 0): HardState => ({
  term: term as Term,
  vote: 1 as NodeId,
  commit: commit as LogIndex,
});
const batch = (entries: Entry[], hardState?: HardState) => ({ entries, hardState, install: undefined });
const texts = (entries: readonly Entry[]) => entries.map(({ data }) => data.toString()).join(' ');

async function openWal(disk: Disk): Promise<Wal> {
  return Wal.open(disk, identity, await recover(disk, identity));
}

it('crc32c gives the published check value', () => {
  expect(crc32c(Buffer.from('123456789')).toString(16)).toBe('e3069283');
});

describe.each(Object.entries(disks))('wal on a %s', (_name, make) => {
  it('gives back what was appended, newer entries in place of older ones', async () => {
    const disk = await make();
    const wal = await openWal(disk);
    await wal.append(batch([entry(1), entry(2), entry(3)], state(1)));
    await wal.append(batch([entry(2, 'new', 2)], state(2, 1)));
    await wal.close();
    const recovered = await recover(disk, identity);
    expect(texts(recovered.entries)).toBe('e1 new');
    expect(recovered.hardState).toEqual(state(2, 1));
    expect(recovered.torn).toBeUndefined();
  });

  it('goes on in new segments and drops those a snapshot covers', async () => {
    const disk = await make();
    const wal = await openWal(disk);
    for (let i = 1; i <= 5; i++) await wal.append(batch([entry(i, 'x'.repeat(9 << 20))], state(i)));
    expect((await disk.list()).filter((name) => name.endsWith('.wal')).length).toBe(3);
    await wal.snapshotTaken(3 as LogIndex);
    await wal.append(batch([entry(6)]));
    await wal.close();
    const recovered = await recover(disk, identity);
    expect(recovered.segments.map((segment) => segment.sequence)).toEqual([3, 4]);
    expect(recovered.entries.map(({ index }) => index)).toEqual([4, 5, 6]);
    expect(recovered.hardState).toEqual(state(5));
  });

  it("refuses another member's directory", async () => {
    const disk = await make();
    await (await openWal(disk)).close();
    await expect(recover(disk, { ...identity, memberId: 2 })).rejects.toThrow(/belongs to member 1 of cluster 7/);
  });

  it('keeps the newest snapshot whole, and refuses a damaged one', async () => {
    const disk = await make();
    const meta = { index: 5 as LogIndex, term: 2 as Term, configuration: votersOnly([1 as NodeId]) };
    const writer = new SnapshotWriter(disk, identity, meta);
    await writer.write(Buffer.from('one'));
    await writer.write(Buffer.from('two'));
    await writer.finish();
    const loaded = await loadNewestSnapshot(disk, identity);
    expect(loaded?.meta).toEqual(meta);
    expect(loaded?.chunks.map(String)).toEqual(['one', 'two']);
    const file = await disk.open(snapshotName(meta.index));
    await file.write(Buffer.from('X'), (await disk.read(snapshotName(meta.index))).length - 9);
    await file.close();
    await expect(loadNewestSnapshot(disk, identity)).rejects.toThrow(/snap is corrupt at byte \d+: checksum/);
  });
});

describe('a crash', () => {
  it.each([0, 0.2, 0.5, 0.8, 0.99])('in the middle of a write loses nothing before it (%f written)', async (kept) => {
    let release = () => {};
    let slow = false;
    const delay = () => (slow ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve());
    const disk = new SimulatedDisk({ random: () => kept, delay });
    const wal = await openWal(disk);
    await wal.append(batch([entry(1), entry(2)], state(1)));
    slow = true;
    void wal.append(batch([entry(3), entry(4), entry(5)], state(2)));
    await Promise.resolve();
    disk.crash();
    release();
    slow = false;
    const recovered = await recover(disk, identity);
    expect(texts(recovered.entries).startsWith('e1 e2')).toBe(true);
    const again = await openWal(disk);
    await again.append(batch([entry(recovered.entries.length + 1, 'after')], state(3)));
    const last = await recover(disk, identity);
    expect(last.torn).toBeUndefined();
    expect(texts(last.entries).endsWith('after')).toBe(true);
  });

  it('is told apart from corruption, which stops the member with file and offset', async () => {
    const disk = new SimulatedDisk({ random: () => 0 });
    const wal = await openWal(disk);
    await wal.append(batch([entry(1, 'first')], state(1)));
    await wal.append(batch([entry(2, 'second')]));
    await wal.append(batch([entry(3, 'third')]));
    const bytes = await disk.read(segmentName(1));
    disk.corrupt(segmentName(1), bytes.indexOf('second'));
    await expect(recover(disk, identity)).rejects.toThrow(/simulated\/0000000000000001.wal is corrupt at byte \d+/);
  });

  it('of the disk in the last write is cut off and said', async () => {
    const disk = new SimulatedDisk({ random: () => 0 });
    const wal = await openWal(disk);
    await wal.append(batch([entry(1, 'first')], state(1)));
    await wal.append(batch([entry(2, 'second')]));
    disk.corrupt(segmentName(1), (await disk.read(segmentName(1))).indexOf('second'));
    const recovered = await recover(disk, identity);
    expect(recovered.torn?.problem).toMatch(/checksum/);
    expect(texts(recovered.entries)).toBe('first');
  });

  it('that lost a middle segment is noticed', async () => {
    const disk = new SimulatedDisk({ random: () => 0 });
    const wal = await openWal(disk);
    for (let i = 1; i <= 5; i++) await wal.append(batch([entry(i, 'x'.repeat(9 << 20))], state(i)));
    await disk.remove(segmentName(2));
    await expect(recover(disk, identity)).rejects.toThrow(/the segment before it is missing/);
  });
});
