import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Backup } from '../bolt/backup.ts';
import { hashKv } from '../bolt/kv-hash.ts';
import { Mvcc } from '../mvcc/mvcc.ts';
import { isRefusal } from '../mvcc/refusal.ts';
import { deleteRange, grantLease, put } from '../mvcc/txn.ts';
import type { LeaseId } from '../schema/messages.ts';
import { BackupFile } from './backup-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'wherry-backup-'));
afterAll(() => rmSync(folder, { recursive: true }));

const turn = async () => undefined;
const facts = {
  raftIndex: 7,
  raftTerm: 2,
  members: [{ id: 0xabc, name: 'm', peerUrls: ['https://m:2380'], clientUrls: [], isLearner: false }],
};

async function saved(mvcc: Mvcc): Promise<string> {
  const backup = await Backup.take(mvcc, facts, turn);
  const bytes = Buffer.concat(Array.from(backup.chunks(), (chunk) => Buffer.from(chunk)));
  expect(bytes.length).toBe(backup.sizeBytes);
  const file = join(folder, `${mvcc.revision}.db`);
  writeFileSync(file, bytes);
  return file;
}

async function restored(file: string, bump = 0, skipHashCheck = false): Promise<Mvcc> {
  await using backup = await BackupFile.open(file, skipHashCheck);
  return await backup.restore(bump);
}

async function hashOf(mvcc: Mvcc, revision = 0): Promise<number> {
  const hashed = await hashKv(mvcc, revision, turn);
  if (isRefusal(hashed)) throw new Error(hashed.refused);
  return hashed.hash;
}

function sample(): Mvcc {
  const mvcc = new Mvcc();
  const lease = 0x694d_71dd_acfd_a227n as LeaseId;
  grantLease(mvcc, lease, 100);
  for (let i = 0; i < 300; i++)
    put(mvcc, { key: `key-${i % 50}`, value: Buffer.alloc(i * 20, i), lease: i % 7 === 0 ? lease : 0 });
  deleteRange(mvcc, { key: 'key-1', rangeEnd: 'key-2' });
  mvcc.compact(150);
  put(mvcc, { key: 'last', value: '' });
  return mvcc;
}

describe('a backup', () => {
  it('holds the whole state: revisions, leases, history since the compaction', async () => {
    const before = sample();
    const after = await restored(await saved(before));
    expect(after.revision).toBe(before.revision);
    expect(after.compactRevision).toBe(150);
    for (const revision of [0, 151, 200, before.revision]) {
      expect(await hashOf(after, revision)).toBe(await hashOf(before, revision));
    }
    expect([...after.leases.all()].map(({ id, ttlSeconds, keys }) => [id, ttlSeconds, keys.size])).toEqual(
      [...before.leases.all()].map(({ id, ttlSeconds, keys }) => [id, ttlSeconds, keys.size]),
    );
  });

  it("is described in etcd's terms", async () => {
    await using backup = await BackupFile.open(await saved(sample()), false);
    const status = await backup.status();
    expect(status.revision).toBe(303);
    expect(status.totalSize % 4096).toBe(0);
    expect(status.totalKey).toBeGreaterThan(150);
  });

  it.each([0, 1, 5000, 10_000, 50_000])('is refused when byte %i of it has changed', async (at) => {
    const file = await saved(sample());
    const bytes = readFileSync(file);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await expect(restored(file)).rejects.toThrow(/Cannot trust .*damaged/);
  });

  it('is refused when it has no checksum, unless that is wanted', async () => {
    const file = await saved(sample());
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length - 32));
    await expect(restored(file)).rejects.toThrow(/--skip-hash-check/);
    expect((await restored(file, 0, true)).revision).toBe(303);
  });

  it('never crashes a restore, however damaged', async () => {
    const file = await saved(sample());
    const whole = readFileSync(file);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(damage, async (places) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of places) bytes[at] = value;
        const broken = join(folder, 'broken.db');
        writeFileSync(broken, bytes);
        try {
          await restored(broken, 0, true);
        } catch (error) {
          expect((error as Error).message).toMatch(/^Cannot read /);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('hashKv', () => {
  it('does not depend on how far a compaction has got', async () => {
    const mvcc = sample();
    const before = await hashOf(mvcc);
    mvcc.prune(20);
    expect(await hashOf(mvcc)).toBe(before);
    while (!mvcc.prune(1000));
    expect(await hashOf(mvcc)).toBe(before);
  });

  it('differs as soon as anything does', async () => {
    const mvcc = sample();
    const other = sample();
    put(mvcc, { key: 'x', value: 'a' });
    put(other, { key: 'x', value: 'b' });
    expect(await hashOf(mvcc)).not.toBe(await hashOf(other));
    expect(await hashOf(mvcc, mvcc.revision - 1)).toBe(await hashOf(other, other.revision - 1));
  });

  it('refuses what is compacted or to come', async () => {
    expect(await hashKv(sample(), 100, turn)).toMatchObject({ refused: 'compacted' });
    expect(await hashKv(sample(), 9999, turn)).toMatchObject({ refused: 'futureRevision' });
  });
});
