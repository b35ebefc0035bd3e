import { VirtualClock } from '@wherry/daemon';
import { describe, expect, it } from 'vitest';
import { isStoreError } from '../schema/errors.ts';
import { prefixEnd } from '../schema/keys.ts';
import { createMemoryStore } from './memory-store.ts';

const all = { key: '/a/', rangeEnd: prefixEnd('/a/') };

describe('createMemoryStore', () => {
  it('counts revisions as etcd does', async () => {
    const store = createMemoryStore({ clock: new VirtualClock() });
    expect((await store.range({ key: 'x' })).revision).toBe(1);
    expect((await store.put({ key: '/a/1', value: 'one' })).revision).toBe(2);
    const { kvs } = await store.range(all);
    expect(kvs.map((kv) => [kv.key.toString(), kv.value.toString(), kv.modRevision, kv.version])).toEqual([
      ['/a/1', 'one', 2, 1],
    ]);
  });

  it('delivers whole revisions in order, then ends with its signal', async () => {
    const store = createMemoryStore({ clock: new VirtualClock() });
    await store.put({ key: '/a/0', value: '' });
    const abort = new AbortController();
    const watch = store.watch({ ...all, startRevision: 2, prevKv: true }, { signal: abort.signal });
    await store.txn({
      success: [
        { kind: 'put', request: { key: '/a/0', value: 'new' } },
        { kind: 'put', request: { key: '/a/1', value: 'x' } },
      ],
    });
    await store.deleteRange(all);
    const seen: string[] = [];
    for await (const batch of watch) {
      for (const event of batch.events) {
        seen.push(`${event.kv.modRevision} ${event.kind} ${event.kv.key} ${event.prevKv?.value ?? '-'}`);
      }
      if (batch.revision >= 4) abort.abort();
    }
    expect(seen).toEqual(['2 put /a/0 -', '3 put /a/0 ', '3 put /a/1 -', '4 delete /a/0 new', '4 delete /a/1 x']);
  });

  it('ends a watch whose history is gone with a typed error', async () => {
    const store = createMemoryStore({ clock: new VirtualClock() });
    for (const value of ['1', '2', '3']) await store.put({ key: '/a/0', value });
    await store.compact(4);
    const failure = await store
      .watch({ ...all, startRevision: 2 })
      [Symbol.asyncIterator]()
      .next()
      .catch((e) => e);
    expect(isStoreError(failure, 'compacted') && failure.compactRevision).toBe(4);
  });

  it('answers a progress request once everything is delivered', async () => {
    const store = createMemoryStore({ clock: new VirtualClock() });
    const watch = store.watch(all);
    await store.put({ key: '/b', value: '' });
    watch.requestProgress();
    const { value } = await watch[Symbol.asyncIterator]().next();
    expect(value).toEqual({ revision: 2, events: [], progress: true });
  });

  it('deletes the keys of a lease that is not kept alive', async () => {
    const clock = new VirtualClock();
    const store = createMemoryStore({ clock });
    const { id } = await store.leaseGrant({ ttlSeconds: 10 });
    await store.put({ key: '/a/0', value: '', lease: id });
    await clock.advance(8000);
    await store.leaseKeepAlive(id);
    await clock.advance(8000);
    expect((await store.range(all)).count).toBe(1);
    expect((await store.leaseTimeToLive(id)).ttlSeconds).toBe(2);
    await clock.advance(2001);
    expect((await store.range(all)).count).toBe(0);
    await expect(store.leaseKeepAlive(id)).rejects.toMatchObject({ kind: 'leaseNotFound' });
  });
});
