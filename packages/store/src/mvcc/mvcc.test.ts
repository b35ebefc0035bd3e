import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prefixEnd } from '../schema/keys.ts';
import type { Compare, LeaseId, RangeRequest, WatchBatch } from '../schema/messages.ts';
import { Mvcc } from './mvcc.ts';
import { range } from './range.ts';
import { isRefusal } from './refusal.ts';
import { SnapshotSink, SnapshotSource } from './snapshot.ts';
import { deleteRange, grantLease, put, revokeLease, txn } from './txn.ts';
import { checkTxnShape } from './validate.ts';
import { WATCHER_PENDING_MAX, type Watcher } from './watch-hub.ts';

const lease = (id: number) => id as LeaseId;
const everything = { key: '\0', rangeEnd: '\0' };

function read(mvcc: Mvcc, request: RangeRequest): string {
  const response = range(mvcc, request);
  if (isRefusal(response)) return response.refused;
  const kvs = response.kvs.map((kv) => `${kv.key}=${kv.value}@${kv.createRevision}/${kv.modRevision}/${kv.version}`);
  return `${kvs.join(' ')} (${response.count}${response.more ? ', more' : ''})`;
}

function events(mvcc: Mvcc, watcher: Watcher): string[] {
  const lines: string[] = [];
  for (let taken = mvcc.watches.take(watcher); taken !== undefined; taken = mvcc.watches.take(watcher)) {
    if (isRefusal(taken)) return [...lines, taken.refused];
    lines.push(...taken.events.map((event) => `${event.kv.modRevision} ${event.kind} ${event.kv.key}`));
  }
  return lines;
}

function pruned(mvcc: Mvcc): Mvcc {
  while (!mvcc.prune(3));
  return mvcc;
}

function copy(mvcc: Mvcc, bytesMax = 16): Mvcc {
  const source = new SnapshotSource(mvcc);
  const sink = new SnapshotSink();
  for (let chunk = source.next(bytesMax); chunk !== undefined; chunk = source.next(bytesMax)) sink.add(chunk);
  return sink.finish();
}

describe('range', () => {
  const mvcc = new Mvcc();
  put(mvcc, { key: 'a', value: '1' });
  put(mvcc, { key: 'b', value: '1' });
  put(mvcc, { key: 'a', value: '2' });
  deleteRange(mvcc, { key: 'b' });
  put(mvcc, { key: 'b', value: '3' });
  put(mvcc, { key: 'c', value: '0' });

  it.each<[string, RangeRequest, string]>([
    ['one key', { key: 'a' }, 'a=2@2/4/2 (1)'],
    ['one key in the past', { key: 'a', revision: 3 }, 'a=1@2/2/1 (1)'],
    ['a deleted key', { key: 'b', revision: 5 }, ' (0)'],
    ['a key made again', { key: 'b' }, 'b=3@6/6/1 (1)'],
    ['all keys', everything, 'a=2@2/4/2 b=3@6/6/1 c=0@7/7/1 (3)'],
    ['from a key on', { key: 'b', rangeEnd: '\0' }, 'b=3@6/6/1 c=0@7/7/1 (2)'],
    ['a half-open range', { key: 'a', rangeEnd: 'c' }, 'a=2@2/4/2 b=3@6/6/1 (2)'],
    ['a limit', { ...everything, limit: 2 }, 'a=2@2/4/2 b=3@6/6/1 (3, more)'],
    ['a limit in the past', { ...everything, limit: 1, revision: 4 }, 'a=2@2/4/2 (2, more)'],
    ['only a count', { ...everything, countOnly: true }, ' (3)'],
    ['descending', { ...everything, sortOrder: 'descend', limit: 2 }, 'c=0@7/7/1 b=3@6/6/1 (3, more)'],
    ['sorted by value', { ...everything, sortTarget: 'value' }, 'c=0@7/7/1 a=2@2/4/2 b=3@6/6/1 (3)'],
    ['a filter', { ...everything, minModRevision: 6 }, 'b=3@6/6/1 c=0@7/7/1 (3)'],
    ['no values', { key: 'a', keysOnly: true }, 'a=@2/4/2 (1)'],
    ['the future', { key: 'a', revision: 8 }, 'futureRevision'],
  ])('gives %s', (_name, request, expected) => {
    expect(read(mvcc, request)).toBe(expected);
  });
});

describe('a transaction', () => {
  const base = () => {
    const mvcc = new Mvcc();
    put(mvcc, { key: 'a', value: 'x' });
    return mvcc;
  };

  it.each<[Compare, boolean]>([
    [{ key: 'a', target: 'mod', result: 'equal', modRevision: 2 }, true],
    [{ key: 'a', target: 'mod', result: 'equal', modRevision: 3 }, false],
    [{ key: 'n', target: 'mod', result: 'equal', modRevision: 0 }, true],
    [{ key: 'n', target: 'value', result: 'notEqual', value: 'x' }, false],
    [{ key: 'a', target: 'value', result: 'less', value: 'y' }, true],
    [{ key: 'a', target: 'version', result: 'greater', version: 0 }, true],
    [{ key: 'a', rangeEnd: 'z', target: 'create', result: 'notEqual', createRevision: 2 }, false],
    [{ key: 'b', rangeEnd: 'z', target: 'create', result: 'equal', createRevision: 0 }, true],
    [{ key: 'a', target: 'lease', result: 'equal', lease: 0 }, true],
  ])('decides %j as %s', (compare, succeeded) => {
    expect(txn(base(), { compare: [compare] })).toMatchObject({ succeeded, revision: 2 });
  });

  it('is one revision, and reads its own writes', () => {
    const mvcc = base();
    const response = txn(mvcc, {
      success: [
        { kind: 'put', request: { key: 'b', value: 'y' } },
        { kind: 'deleteRange', request: { key: 'a' } },
        { kind: 'range', request: everything },
      ],
    });
    expect(response).toMatchObject({ revision: 3, responses: [{}, { response: { deleted: 1 } }, {}] });
    expect(read(mvcc, everything)).toBe('b=y@3/3/1 (1)');
    const [, , last] = isRefusal(response) ? [] : response.responses;
    expect(last?.kind === 'range' && last.response.kvs.map((kv) => kv.key.toString())).toEqual(['b']);
  });

  it('is refused as a whole', () => {
    const mvcc = base();
    const success = [
      { kind: 'put', request: { key: 'b', value: 'y' } },
      { kind: 'put', request: { key: 'c', value: 'y', lease: 9 } },
    ] as const;
    expect(txn(mvcc, { success })).toEqual({ refused: 'leaseNotFound' });
    expect(read(mvcc, everything)).toBe('a=x@2/2/1 (1)');
  });

  it('may not touch a key twice', () => {
    const write = (key: string) => ({ kind: 'put', request: { key, value: '' } }) as const;
    const remove = (key: string, rangeEnd: string) => ({ kind: 'deleteRange', request: { key, rangeEnd } }) as const;
    expect(checkTxnShape({ success: [write('a'), write('a')] })?.refused).toBe('duplicateKey');
    expect(checkTxnShape({ success: [remove('a', 'c'), write('b')] })?.refused).toBe('duplicateKey');
    const either = { kind: 'txn', request: { success: [write('a')], failure: [write('a')] } } as const;
    expect(checkTxnShape({ success: [either] })).toBeUndefined();
    expect(checkTxnShape({ success: [either, write('a')] })?.refused).toBe('duplicateKey');
    expect(checkTxnShape({ success: Array.from({ length: 129 }, (_, i) => write(`${i}`)) })?.refused).toBe(
      'tooManyOps',
    );
  });
});

describe('leases', () => {
  it('take their keys along, in one revision', () => {
    const mvcc = new Mvcc();
    grantLease(mvcc, lease(5), 10);
    expect(grantLease(mvcc, lease(5), 10)).toEqual({ refused: 'leaseExists' });
    put(mvcc, { key: 'b', value: '', lease: 5 });
    put(mvcc, { key: 'a', value: '', lease: 5 });
    put(mvcc, { key: 'c', value: '', lease: 5 });
    put(mvcc, { key: 'c', value: '' });
    const watcher = mvcc.watches.add(everything, () => undefined);
    expect(revokeLease(mvcc, lease(5))).toBe(6);
    expect(events(mvcc, watcher)).toEqual(['6 delete a', '6 delete b']);
    expect(read(mvcc, everything)).toBe('c=@4/5/2 (1)');
  });
});

describe('compaction', () => {
  it('keeps what is visible at and after its revision', () => {
    const mvcc = new Mvcc();
    for (const value of ['1', '2', '3']) put(mvcc, { key: 'a', value });
    put(mvcc, { key: 'b', value: '1' });
    deleteRange(mvcc, { key: 'b' });
    put(mvcc, { key: 'a', value: '4' });
    const before = mvcc.sizeBytes;
    expect(mvcc.compact(7)).toBeUndefined();
    pruned(mvcc);
    expect(mvcc.sizeBytes).toBeLessThan(before / 2);
    expect(mvcc.index.size).toBe(1);
    expect(read(mvcc, { key: 'a', revision: 6 })).toBe('compacted');
    expect(read(mvcc, { ...everything, revision: 7 })).toBe('a=4@2/7/4 (1)');
    expect(mvcc.compact(7)).toMatchObject({ refused: 'compacted' });
    expect(mvcc.compact(8)).toMatchObject({ refused: 'futureRevision' });
    expect(put(mvcc, { key: 'b', value: '2' })).toMatchObject({ revision: 8 });
    expect(read(mvcc, { key: 'b' })).toBe('b=2@8/8/1 (1)');
  });

  it('moves survivors out of nearly empty slabs', () => {
    const mvcc = new Mvcc();
    const value = Buffer.alloc(10_000, 1);
    put(mvcc, { key: 'kept', value });
    for (let i = 0; i < 400; i++) put(mvcc, { key: 'a', value });
    const slab = mvcc.index.get('kept')?.head?.slab;
    mvcc.compact(mvcc.revision);
    while (!mvcc.prune(1000));
    mvcc.defragment(10);
    expect(mvcc.index.get('kept')?.head?.slab).not.toBe(slab);
    expect(slab?.liveBytes).toBe(0);
    expect(mvcc.index.get('kept')?.head?.value).toEqual(value);
  });
});

describe('watch', () => {
  it('catches up from history, then follows', () => {
    const mvcc = new Mvcc();
    put(mvcc, { key: 'a', value: '1' });
    put(mvcc, { key: 'x', value: '1' });
    const watcher = mvcc.watches.add({ key: 'a', rangeEnd: 'b', startRevision: 1 }, () => undefined);
    expect(events(mvcc, watcher)).toEqual(['2 put a']);
    deleteRange(mvcc, { key: 'a' });
    expect(events(mvcc, watcher)).toEqual(['4 delete a']);
  });

  it('does not deliver before a start in the future', () => {
    const mvcc = new Mvcc();
    const watcher = mvcc.watches.add({ key: 'a', startRevision: 3 }, () => undefined);
    put(mvcc, { key: 'a', value: '1' });
    put(mvcc, { key: 'a', value: '2' });
    expect(events(mvcc, watcher)).toEqual(['3 put a']);
  });

  it('sends a reader that is too slow to history, and loses nothing', () => {
    const mvcc = new Mvcc();
    const watcher = mvcc.watches.add(everything, () => undefined);
    const total = WATCHER_PENDING_MAX + 500;
    for (let i = 0; i < total; i++) put(mvcc, { key: `${i}`, value: '' });
    expect(watcher.state).toBe('behind');
    expect(events(mvcc, watcher)).toEqual(Array.from({ length: total }, (_, i) => `${i + 2} put ${i}`));
    expect(watcher.state).toBe('synced');
  });

  it('never splits a revision over two batches', () => {
    const mvcc = new Mvcc();
    const ops = Array.from({ length: 128 }, (_, i) => ({ kind: 'put', request: { key: `${i}`, value: '' } }) as const);
    for (let i = 0; i < 100; i++) txn(mvcc, { success: ops });
    const watcher = mvcc.watches.add({ ...everything, startRevision: 2 }, () => undefined);
    const ends: [number, number][] = [];
    for (let taken = mvcc.watches.take(watcher); taken !== undefined; taken = mvcc.watches.take(watcher)) {
      const { events: batch } = taken as WatchBatch;
      if (batch.length > 0) ends.push([batch[0]?.kv.modRevision ?? 0, batch.at(-1)?.kv.modRevision ?? 0]);
    }
    expect(ends.length).toBeGreaterThan(2);
    for (const [i, [first]] of ends.entries()) if (i > 0) expect(first).toBe((ends[i - 1]?.[1] ?? 0) + 1);
  });

  it('is ended by a compaction it is behind of', () => {
    const mvcc = new Mvcc();
    for (const value of ['1', '2', '3']) put(mvcc, { key: 'a', value });
    mvcc.compact(3);
    pruned(mvcc);
    const watch = (startRevision: number) =>
      events(
        mvcc,
        mvcc.watches.add({ key: 'a', startRevision }, () => undefined),
      );
    expect(watch(2)).toEqual(['compacted']);
    expect(watch(3)).toEqual(['3 put a', '4 put a']);
  });

  it('goes on over a snapshot', () => {
    const mvcc = new Mvcc();
    put(mvcc, { key: 'a', value: '1' });
    const watcher = mvcc.watches.add({ key: 'a' }, () => undefined);
    const ahead = copy(mvcc);
    put(ahead, { key: 'a', value: '2' });
    mvcc.watches.moveTo(ahead.watches);
    expect(events(ahead, watcher)).toEqual(['3 put a']);
  });
});

type Step = { readonly key: string; readonly value: string; readonly what: 'put' | 'delete' | 'compact' };

const steps = fc.array(
  fc.record<Step>({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    value: fc.string({ maxLength: 4 }),
    what: fc.constantFrom('put', 'put', 'put', 'delete', 'compact'),
  }),
  { maxLength: 60 },
);

describe('any history', () => {
  it('reads at every kept revision as it was then, also from a copy made by a snapshot', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const mvcc = new Mvcc();
        const then = new Map<number, string>([[1, read(mvcc, everything)]]);
        for (const step of history) {
          if (step.what === 'put') put(mvcc, step);
          else if (step.what === 'delete') deleteRange(mvcc, step);
          else mvcc.compact(Math.max(1, mvcc.revision - 3));
          mvcc.prune(2);
          then.set(mvcc.revision, read(mvcc, everything));
        }
        const twin = copy(mvcc);
        for (let revision = Math.max(1, mvcc.compactRevision); revision <= mvcc.revision; revision++) {
          expect(read(mvcc, { ...everything, revision })).toBe(then.get(revision));
          expect(read(twin, { ...everything, revision })).toBe(then.get(revision));
        }
        const from = { ...everything, startRevision: Math.max(1, mvcc.compactRevision) };
        const watch = (store: Mvcc) =>
          events(
            store,
            store.watches.add(from, () => undefined),
          );
        expect(watch(twin)).toEqual(watch(mvcc));
        // A tombstone below a newer version may outlive a compaction here, until the next one; no longer.
        for (const store of [mvcc, twin]) store.compact(store.revision);
        expect(pruned(twin).sizeBytes).toBe(pruned(mvcc).sizeBytes);
        expect(twin.index.size).toBe(mvcc.index.size);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps a large index in order', () => {
    const mvcc = new Mvcc();
    const keys = Array.from({ length: 3000 }, (_, i) => `/${(i * 7919) % 3000}`);
    for (const key of keys) put(mvcc, { key, value: '' });
    for (const key of keys.slice(0, 1000)) deleteRange(mvcc, { key });
    put(mvcc, { key: keys.at(-1) ?? '', value: '' });
    const sorted = keys.slice(1000).sort();
    const seen = range(mvcc, { key: '/', rangeEnd: prefixEnd('/') });
    expect(isRefusal(seen) ? [] : seen.kvs.map((kv) => kv.key.toString())).toEqual(sorted);
    const page = range(mvcc, { key: '/', rangeEnd: prefixEnd('/'), limit: 10 });
    expect(page).toMatchObject({ count: 2000, more: true });
    mvcc.compact(mvcc.revision);
    while (!mvcc.prune(100));
    expect(mvcc.index.size).toBe(2000);
  });
});
