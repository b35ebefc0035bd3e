import { seededRandom, silentLogger, systemClock } from '@wherry/daemon';
import { afterEach, describe, expect, it } from 'vitest';
import { prefixEnd } from '../schema/keys.ts';
import { REQUEST_BYTES_MAX } from '../schema/limits.ts';
import type { WatchBatch } from '../schema/messages.ts';
import { createMemoryStore } from './memory-store.ts';
import { createStoreClient } from './store-client.ts';
import { Member } from './testing/member.ts';
import type { StoreClient } from './types.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function clientOf(member: Member, requestTimeoutMs = 5000): StoreClient {
  const client = createStoreClient({
    endpoints: ['member'],
    connector: async () => member.connect(),
    clock: systemClock,
    random: seededRandom(3),
    logger: silentLogger,
    requestTimeoutMs,
  });
  closers.push(() => client.close());
  return client;
}

async function running(): Promise<Member> {
  const member = new Member();
  await member.start();
  closers.push(() => member.stop());
  return member;
}

const implementations: readonly [string, () => Promise<StoreClient>][] = [
  ['in this process', async () => createMemoryStore({ clock: systemClock })],
  ['over a connection', async () => clientOf(await running())],
];

const all = { key: '/', rangeEnd: prefixEnd('/') };

async function take(watch: AsyncIterable<WatchBatch>, count: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const { events } of watch) {
    for (const { kind, kv, prevKv } of events) {
      lines.push(
        `${kv.modRevision} ${kind} ${kv.key} ${kv.value}${prevKv === undefined ? '' : ` was ${prevKv.value}`}`,
      );
    }
    if (lines.length >= count) break;
  }
  return lines;
}

describe.each(implementations)('a store %s', (_name, make) => {
  it('puts, ranges and deletes', async () => {
    const store = await make();
    expect(await store.put({ key: '/a', value: 'ä' })).toEqual({ revision: 2 });
    expect(await store.put({ key: '/a', value: 'b', prevKv: true })).toMatchObject({
      revision: 3,
      prevKv: { value: Buffer.from('ä'), modRevision: 2 },
    });
    expect(await store.range(all)).toEqual({
      revision: 3,
      more: false,
      count: 1,
      kvs: [
        { key: Buffer.from('/a'), value: Buffer.from('b'), createRevision: 2, modRevision: 3, version: 2, lease: 0 },
      ],
    });
    expect(await store.deleteRange({ ...all, prevKv: true })).toMatchObject({
      revision: 4,
      deleted: 1,
      prevKvs: [{ version: 2 }],
    });
    expect(await store.range({ ...all, revision: 2 })).toMatchObject({ revision: 4, count: 1 });
  });

  it('decides transactions', async () => {
    const store = await make();
    const create = (value: string) =>
      store.txn({
        compare: [{ key: '/a', target: 'mod', result: 'equal', modRevision: 0 }],
        success: [{ kind: 'put', request: { key: '/a', value } }],
        failure: [{ kind: 'range', request: { key: '/a' } }],
      });
    expect(await create('1')).toMatchObject({ revision: 2, succeeded: true, responses: [{ kind: 'put' }] });
    expect(await create('2')).toMatchObject({
      revision: 2,
      succeeded: false,
      responses: [{ kind: 'range', response: { kvs: [{ value: Buffer.from('1') }] } }],
    });
  });

  it.each<[string, (store: StoreClient) => Promise<unknown>, object]>([
    ['no key', (store) => store.put({ key: '', value: '' }), { kind: 'emptyKey', outcome: 'none' }],
    ['the future', (store) => store.range({ key: '/a', revision: 99 }), { kind: 'futureRevision' }],
    ['the forgotten', (store) => store.range({ key: '/a', revision: 2 }), { kind: 'compacted', compactRevision: 3 }],
    ['compacting twice', (store) => store.compact(3), { kind: 'compacted' }],
    ['a lease that is not', (store) => store.put({ key: '/a', value: '', lease: 5 }), { kind: 'leaseNotFound' }],
    ['renewing one that is not', (store) => store.leaseKeepAlive(5), { kind: 'leaseNotFound' }],
  ])('refuses %s with a typed error', async (_what, call, expected) => {
    const store = await make();
    for (const value of ['1', '2', '3']) await store.put({ key: '/a', value });
    await store.compact(3);
    await expect(call(store)).rejects.toMatchObject(expected);
  });

  it('watches from the past into the future', async () => {
    const store = await make();
    await store.put({ key: '/a', value: '1' });
    const watch = store.watch({ ...all, startRevision: 2, prevKv: true });
    await store.put({ key: '/a', value: '2' });
    await store.put({ key: 'other', value: '' });
    await store.deleteRange({ key: '/a' });
    expect(await take(watch, 3)).toEqual(['2 put /a 1', '3 put /a 2 was 1', '5 delete /a  was 2']);
  });

  it('ends a watch that is behind a compaction', async () => {
    const store = await make();
    for (const value of ['1', '2', '3']) await store.put({ key: '/a', value });
    await store.compact(4);
    const watching = take(store.watch({ ...all, startRevision: 2 }), 1);
    await expect(watching).rejects.toMatchObject({ kind: 'compacted', compactRevision: 4 });
  });

  it('reports progress on request, after everything before', async () => {
    const store = await make();
    const watch = store.watch({ ...all, startRevision: 1 });
    await store.put({ key: '/a', value: '1' });
    await store.put({ key: 'other', value: '1' });
    watch.requestProgress();
    const seen: [number, boolean][] = [];
    for await (const batch of watch) {
      seen.push([batch.revision, batch.progress]);
      if (batch.progress) break;
    }
    expect(seen.at(-1)).toEqual([3, true]);
    expect(seen.length).toBe(2);
  });

  it('lets a reader fall behind without losing anything or holding the others up', async () => {
    const store = await make();
    const slow = store.watch({ ...all, startRevision: 2 });
    const total = 9000;
    for (let i = 0; i < total; i += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, k) => store.put({ key: `/${i + k}`, value: '' })));
    }
    const lines = await take(slow, total);
    expect(lines.length).toBe(total);
    expect(new Set(lines).size).toBe(total);
  });

  it('leases', async () => {
    const store = await make();
    const { id } = await store.leaseGrant({ ttlSeconds: 60 });
    await store.put({ key: '/a', value: '', lease: id });
    expect(await store.leaseTimeToLive(id, { keys: true })).toMatchObject({
      grantedTtlSeconds: 60,
      keys: [Buffer.from('/a')],
    });
    expect(await store.leaseKeepAlive(id)).toMatchObject({ id, ttlSeconds: 60 });
    await store.leaseRevoke(id);
    expect((await store.range(all)).count).toBe(0);
    expect((await store.leaseTimeToLive(id)).ttlSeconds).toBe(-1);
  });

  it('gives up when told to', async () => {
    const store = await make();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(store.range(all, { signal })).rejects.toThrow('enough');
    const abort = new AbortController();
    const watching = take(store.watch(all, { signal: abort.signal }), 1);
    abort.abort();
    expect(await watching).toEqual([]);
    await store.close();
    await expect(store.range(all)).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('a client', () => {
  it('resumes its watches over lost connections and restarts, without gap or duplicate', async () => {
    const member = await running();
    const store = clientOf(member);
    const watch = store.watch(all);
    await store.put({ key: '/0', value: '' });
    const seen = take(watch, 4);
    // The first event tells that the watch stands: before, "from now on" is not a revision yet.
    await new Promise((resolve) => setTimeout(resolve, 20));
    member.breakConnections();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await store.put({ key: '/1', value: '' });
    await member.stop();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await member.start();
    await store.put({ key: '/2', value: '' });
    await store.put({ key: '/3', value: '' });
    expect(await seen).toEqual(['2 put /0 ', '3 put /1 ', '4 put /2 ', '5 put /3 ']);
  });

  it('waits for a member that is not there yet, and says so if it does not come', async () => {
    const member = new Member();
    const store = clientOf(member, 200);
    await expect(store.put({ key: '/a', value: '' })).rejects.toMatchObject({ kind: 'unavailable', outcome: 'none' });
    const waiting = store.range(all, { timeoutMs: 5000 });
    await member.start();
    closers.push(() => member.stop());
    expect((await waiting).count).toBe(0);
  });

  it('repeats reads, but never a write whose outcome it does not know', async () => {
    const member = await running();
    const store = clientOf(member);
    await store.status();
    const answers = Promise.allSettled([store.put({ key: '/a', value: '' }), store.range(all)]);
    await Promise.resolve();
    member.breakConnections();
    const [write, read] = await answers;
    expect(write).toMatchObject({ status: 'rejected', reason: { kind: 'connectionLost', outcome: 'unknown' } });
    expect(read).toMatchObject({ status: 'fulfilled' });
  });
});

describe('the door', () => {
  const frame = (length: number, kind: number, payload: Buffer) => {
    const head = Buffer.alloc(9);
    head.writeUInt32BE(length, 0);
    head[4] = kind;
    head.writeUInt32BE(1, 5);
    return Buffer.concat([head, payload]);
  };

  it('closes a connection that sends no frames, and serves the others', async () => {
    const member = await running();
    const store = clientOf(member);
    await store.status();
    const stranger = member.connect();
    const closed = new Promise((resolve) => stranger.on('close', resolve));
    stranger.resume();
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    await closed;
    expect(await store.put({ key: '/a', value: '' })).toEqual({ revision: 2 });
  });

  it('refuses garbage, unknown requests and what is too large, and goes on', async () => {
    const member = await running();
    const stranger = member.connect();
    const heard: Buffer[] = [];
    stranger.on('data', (chunk: Buffer) => heard.push(chunk));
    stranger.write(frame(8, 2, Buffer.from([0xff, 0xff, 0xff])));
    stranger.write(frame(5, 99, Buffer.alloc(0)));
    stranger.write(frame(5 + REQUEST_BYTES_MAX + 1, 2, Buffer.alloc(REQUEST_BYTES_MAX + 1)));
    stranger.write(frame(5, 10, Buffer.alloc(0)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const text = Buffer.concat(heard).toString('latin1');
    expect(text).toContain('invalidArgument');
    expect(text).toContain('unknown request 99');
    expect(text).toContain('requestTooLarge');
    expect(text).toContain('0.1.0');
    expect(member.replica?.mvcc.revision).toBe(1);
  });
});
