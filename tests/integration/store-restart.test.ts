import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isStoreError, prefixEnd, type StoreClient } from '@wherry/store/client';
import { afterEach, describe, expect, it } from 'vitest';
import { hasCode } from '../harness/error-code.ts';
import { StoreProcesses } from '../harness/store-processes.ts';

let store: StoreProcesses | undefined;
afterEach(async () => {
  await store?.close();
  store = undefined;
});

const all = { key: '/w/', rangeEnd: prefixEnd('/w/') };

/** Writes from several clients at once until stopped; remembers what was acknowledged. */
function write(client: StoreClient, writers: number) {
  const acknowledged = new Map<string, number>();
  const failures: string[] = [];
  let stopped = false;
  const done = Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let i = 0; !stopped; i++) {
        const key = `/w/${writer}/${i}`;
        try {
          acknowledged.set(key, (await client.put({ key, value: `v${i}` })).revision);
        } catch (error) {
          failures.push(isStoreError(error) ? error.kind : String(error));
        }
      }
    }),
  );
  const stop = async () => {
    stopped = true;
    await done;
  };
  /** Waits until `more` further writes are acknowledged: kills then come in the middle of work, on any machine. */
  const progress = async (more: number) => {
    for (const wanted = acknowledged.size + more; acknowledged.size < wanted; ) await sleep(5);
  };
  return { acknowledged, failures, stop, progress };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a member's log holds behind its newest snapshot, for others that were away for a while. */
const KEPT_ENTRIES = 5_000;

describe('one member', () => {
  it('loses no acknowledged write to kill -9, again and again, and a watch sees each change once', async () => {
    store = await StoreProcesses.make(1, ['--snapshot-count=2000']);
    store.start(0);
    const client = await store.client();
    const seen: [string, number][] = [];
    const watch = client.watch({ ...all, startRevision: 1 });
    const watching = (async () => {
      for await (const batch of watch) {
        for (const { kv } of batch.events) seen.push([kv.key.toString(), kv.modRevision]);
      }
    })();
    const writing = write(client, 8);
    for (let kill = 0; kill < 4; kill++) {
      await writing.progress(300);
      await store.stop(0, 'SIGKILL');
      store.start(0);
    }
    await writing.progress(300);
    await writing.stop();
    const { acknowledged, failures } = writing;
    const { kvs, revision } = await client.range(all);
    const stored = new Map(kvs.map((kv) => [kv.key.toString(), kv.modRevision]));
    for (const [key, at] of acknowledged) expect(stored.get(key), key).toBe(at);
    // Only what was in flight when a kill came is uncertain.
    expect(new Set(failures)).toEqual(new Set(['connectionLost']));
    expect(stored.size - acknowledged.size).toBeLessThanOrEqual(failures.length);
    while ((seen.at(-1)?.[1] ?? 0) < revision) await sleep(10);
    watch.close();
    await watching;
    expect(seen.length).toBe(stored.size);
    expect(new Map(seen)).toEqual(stored);
    expect(seen.every(([, at], i) => i === 0 || at > (seen[i - 1]?.[1] ?? 0))).toBe(true);
  });

  it('ends cleanly on SIGTERM and is back with everything', async () => {
    store = await StoreProcesses.make(1);
    store.start(0);
    const client = await store.client();
    await client.put({ key: '/w/a', value: 'x' });
    expect(await store.stop(0, 'SIGTERM')).toBe(0);
    store.start(0);
    expect((await client.range(all)).kvs.map(String).length).toBe(1);
  });

  it('refuses to start on a log that is damaged in the middle, and says where', async () => {
    store = await StoreProcesses.make(1);
    store.start(0);
    const client = await store.client();
    for (const value of ['first', 'second', 'third']) await client.put({ key: '/w/a', value });
    await store.stop(0, 'SIGKILL');
    const folder = join(store.folder, 'store-1', 'member');
    const [segment = ''] = (await readdir(folder)).filter((name) => name.endsWith('.wal'));
    const bytes = await readFile(join(folder, segment));
    const at = bytes.indexOf('first');
    bytes[at] = 0x58;
    await writeFile(join(folder, segment), bytes);
    store.output = '';
    store.start(0);
    expect(await store.ended(0)).toBe(1);
    expect(store.output).toMatch(new RegExp(`${segment} is corrupt at byte \\d+: checksum`));
  });

  it('refuses a second process on its directory', async () => {
    store = await StoreProcesses.make(1);
    store.start(0);
    await (await store.client()).status();
    const first = store.pid(0);
    const other = await StoreProcesses.make(1, [`--data-dir=${join(store.folder, 'store-1')}`]);
    other.start(0);
    expect(await other.ended(0)).toBe(1);
    expect(other.output).toContain(`process ${first} is using it`);
    await other.close();
  });

  it('serves nobody without a certificate of its own CA', async () => {
    store = await StoreProcesses.make(1);
    store.start(0);
    await (await store.client()).status();
    const stranger = await store.client('clients/admin', 500);
    await expect(stranger.range(all)).rejects.toMatchObject({ kind: 'unavailable' });
    while (!store.output.includes('client refused')) await sleep(20);
  });
});

describe('three members', () => {
  it('go on without their leader, and lose nothing', async () => {
    store = await StoreProcesses.make(3);
    store.startAll();
    const client = await store.client();
    await client.put({ key: '/w/first', value: '' });
    const writing = write(client, 4);
    for (let kill = 0; kill < 3; kill++) {
      await writing.progress(100);
      const index = await leaderOf(store);
      await store.stop(index, 'SIGKILL');
      await writing.progress(100);
      store.start(index);
    }
    await writing.stop();
    const { kvs } = await client.range(all);
    const stored = new Map(kvs.map((kv) => [kv.key.toString(), kv.modRevision]));
    for (const [key, at] of writing.acknowledged) expect(stored.get(key), key).toBe(at);
  });

  it('bring back a member that missed more than the log still holds', async () => {
    const members = await StoreProcesses.make(3, ['--snapshot-count=500']);
    store = members;
    store.startAll();
    const client = await store.client();
    await client.put({ key: '/w/first', value: '' });
    const away = (await leaderOf(store)) === 2 ? 1 : 2;
    await store.stop(away, 'SIGKILL');
    const others = [0, 1, 2].filter((index) => index !== away);
    // Until nobody's log reaches back to what the member has: it is kept for a while behind a snapshot.
    const forgotten = async () =>
      Math.min(...(await Promise.all(others.map((index) => newestSnapshot(members, index)))));
    for (let round = 0; (await forgotten()) < KEPT_ENTRIES + 500; round++) {
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => client.put({ key: `/w/${i}`, value: `${round} ${'x'.repeat(200)}` })),
      );
    }
    store.output = '';
    store.start(away);
    while (!store.output.includes('snapshot installed')) await sleep(20);
    const [before] = (await client.range({ key: '/w/1' })).kvs;
    await store.stop(others[0] ?? 0, 'SIGKILL');
    expect((await client.range({ key: '/w/1' })).kvs[0]).toEqual(before);
    await client.put({ key: '/w/last', value: '' });
  });
});

/** The log index that a member's newest snapshot on disk stands for. */
async function newestSnapshot(processes: StoreProcesses, index: number): Promise<number> {
  const name = processes.members[index]?.name ?? '';
  const files = await readdir(join(processes.folder, name), { recursive: true }).catch((error: unknown) => {
    // Two make a quorum; the third may have yet to begin.
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  const indexes = files.map((file) => /(?:^|\/)([0-9a-f]{16})\.snap$/.exec(file)?.[1] ?? '0');
  return Math.max(0, ...indexes.map((text) => Number.parseInt(text, 16)));
}

async function leaderOf(processes: StoreProcesses): Promise<number> {
  for (;;) {
    for (const [index, member] of processes.members.entries()) {
      const text = await fetch(`${member.metricsUrl}/metrics`).then(
        (response) => response.text(),
        () => '',
      );
      if (/^etcd_server_is_leader 1$/m.test(text)) return index;
    }
    await sleep(50);
  }
}
