import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LeaseId } from '../schema/messages.ts';
import { Mvcc } from './mvcc.ts';
import { range } from './range.ts';
import { Rebuild } from './rebuild.ts';
import { isRefusal } from './refusal.ts';
import { RevisionWalk } from './revision-walk.ts';
import { deleteRange, grantLease, put, txn } from './txn.ts';

type Act =
  | { readonly kind: 'put'; readonly keys: readonly number[]; readonly lease: boolean }
  | { readonly kind: 'delete'; readonly key: number }
  | { readonly kind: 'compact'; readonly back: number; readonly prune: number };

const act = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      keys: fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }),
      lease: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), back: fc.nat(4), prune: fc.nat(3) }) },
);

const LEASE = (2n ** 60n) as LeaseId;

function run(mvcc: Mvcc, acts: readonly Act[]): void {
  for (const [i, each] of acts.entries()) {
    if (each.kind === 'delete') deleteRange(mvcc, { key: `k${each.key}` });
    else if (each.kind === 'compact') {
      mvcc.compact(mvcc.revision - each.back);
      mvcc.prune(each.prune);
    } else {
      const lease = each.lease ? LEASE : 0;
      const success = [...new Set(each.keys)].map(
        (key) => ({ kind: 'put', request: { key: `k${key}`, value: `${i}`, lease } }) as const,
      );
      txn(mvcc, { success });
    }
  }
}

function walked(mvcc: Mvcc, during?: () => void): string[] {
  const walk = new RevisionWalk(mvcc);
  while (!walk.collect(3)) during?.();
  return [...walk.versions()].map(
    (v) => `${v.modRevision}/${v.sub} ${v.entry.key}${v.deleted ? ' deleted' : `=${v.value}`}`,
  );
}

function rebuilt(mvcc: Mvcc, bump = 0): Mvcc {
  const walk = new RevisionWalk(mvcc);
  while (!walk.collect(5));
  const rebuild = new Rebuild();
  for (const { id, ttlSeconds } of mvcc.leases.all()) rebuild.lease(id, ttlSeconds);
  for (const kv of walk.versions()) {
    expect(rebuild.change({ revision: kv.modRevision, sub: kv.sub, deleted: kv.deleted, kv })).toBeUndefined();
  }
  return rebuild.finish(mvcc.compactRevision, bump);
}

function readAt(mvcc: Mvcc, revision: number): string {
  const found = range(mvcc, { key: '\0', rangeEnd: '\0', revision });
  if (isRefusal(found)) return found.refused;
  return found.kvs
    .map((kv) => `${kv.key}=${kv.value}@${kv.createRevision}/${kv.modRevision}/${kv.version}/${kv.lease}`)
    .join(' ');
}

function filled(acts: readonly Act[]): Mvcc {
  const mvcc = new Mvcc();
  grantLease(mvcc, LEASE, 60);
  run(mvcc, acts);
  return mvcc;
}

describe('RevisionWalk', () => {
  it('gives every version that is kept, in order of revision, whatever is written meanwhile', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), fc.array(act, { minLength: 1, maxLength: 5 }), (before, during) => {
        const quiet = walked(filled(before));
        const mvcc = filled(before);
        expect(walked(mvcc, () => run(mvcc, during))).toEqual(quiet);
        const order = quiet.map((line) => line.split(' ')[0]?.split('/').map(Number) ?? []);
        const sorted = [...order].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0));
        expect(order).toEqual(sorted);
      }),
    );
  });

  it('lets history be pruned once it has gathered all, or is given up', () => {
    const mvcc = filled([]);
    for (let i = 0; i < 20; i++) put(mvcc, { key: 'a', value: String(i) });
    mvcc.compact(mvcc.revision);
    const walk = new RevisionWalk(mvcc);
    expect(mvcc.prune(1000)).toBe(true);
    expect(mvcc.history.length).toBe(20);
    walk.close();
    mvcc.prune(1000);
    expect(mvcc.history.length).toBe(1);
  });
});

describe('Rebuild', () => {
  it('makes a state that reads alike at every kept revision', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const before = filled(acts);
        const after = rebuilt(before);
        expect(after.compactRevision).toBe(before.compactRevision);
        // Deletions may be what was newest: the backup does not say how far an empty end reached.
        for (let revision = 0; revision <= after.revision; revision++) {
          expect(readAt(after, revision)).toBe(readAt(before, revision));
        }
        expect(after.leases.get(LEASE)?.keys.size).toBe(before.leases.get(LEASE)?.keys.size);
      }),
    );
  });

  it('bumps the revision and has everything before compacted', () => {
    const before = filled([{ kind: 'put', keys: [1, 2], lease: false }]);
    const after = rebuilt(before, 1000);
    expect(after.revision).toBe(before.revision + 1000);
    expect(readAt(after, 0)).toBe(readAt(before, 0));
    expect(readAt(after, before.revision)).toBe('compacted');
    expect(put(after, { key: 'x', value: '' })).toMatchObject({ revision: before.revision + 1001 });
  });

  it.each([
    ['changes out of order', [3, 2], {}],
    ['a change that says it is another', [2], { modRevision: 5 }],
    ['a key of no version', [2], { version: 0 }],
    ['a change without a key', [2], { key: Buffer.alloc(0) }],
    ['a key made after its change', [2], { createRevision: 9 }],
  ])('refuses %s', (_, revisions, wrong) => {
    const rebuild = new Rebuild();
    const problems = revisions.map((revision) => {
      const good = {
        key: Buffer.from('a'),
        value: Buffer.from(''),
        createRevision: 2,
        modRevision: revision,
        version: 1,
        lease: 0,
      };
      const kv = { ...good, ...wrong } as Parameters<Rebuild['change']>[0]['kv'];
      return rebuild.change({ revision, sub: 0, deleted: false, kv });
    });
    expect(problems.at(-1)).toMatch(/change/);
  });
});
