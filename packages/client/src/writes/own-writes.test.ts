import type { Pod } from '@wherry/api';
import { silentLogger, VirtualClock } from '@wherry/daemon';
import { describe, expect, it } from 'vitest';
import { InformerCache } from '../informer/informer.ts';
import { OwnWrites } from './own-writes.ts';

function setUp() {
  const clock = new VirtualClock();
  const requeued: string[] = [];
  const writes = new OwnWrites(clock, silentLogger, (key) => requeued.push(key));
  const cache = new InformerCache<Pod>({}, (pod) => pod);
  return { clock, requeued, writes, cache };
}
const pod = (uid: string, deletionTimestamp?: string): Pod => ({
  metadata: { name: 'p', namespace: 'd', uid, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
});

describe('OwnWrites', () => {
  it('is settled until something was written', () => {
    const { writes } = setUp();
    expect(writes.settled('owner')).toBe(true);
  });

  it('waits for the cache to reach a written version, then queues the key once', () => {
    const { writes, cache, requeued } = setUp();
    writes.wrote('owner', cache, '10');
    writes.wrote('owner', cache, '12');
    expect(writes.settled('owner')).toBe(false);
    cache.progress('11');
    expect(requeued).toEqual([]);
    cache.progress('12');
    cache.progress('13');
    expect(requeued).toEqual(['owner']);
    expect(writes.settled('owner')).toBe(true);
  });

  it('does not wait for what the cache has shown already', () => {
    const { writes, cache } = setUp();
    cache.progress('20');
    writes.wrote('owner', cache, '10');
    expect(writes.settled('owner')).toBe(true);
  });

  it('waits for a deleted object to be gone, terminating or replaced', () => {
    for (const end of ['gone', 'terminating', 'replaced'] as const) {
      const { writes, cache, requeued } = setUp();
      cache.upsert(pod('u1'));
      writes.deleted('owner', cache, 'd/p', 'u1');
      expect(writes.settled('owner')).toBe(false);
      if (end === 'gone') cache.remove('d/p');
      if (end === 'terminating') cache.upsert(pod('u1', '2025-01-01T00:00:00Z'));
      if (end === 'replaced') cache.upsert(pod('u2'));
      cache.progress('2');
      expect(requeued, end).toEqual(['owner']);
    }
  });

  it('gives up on a cache that never catches up', async () => {
    const { writes, cache, requeued, clock } = setUp();
    writes.wrote('owner', cache, '10');
    expect(writes.settled('owner')).toBe(false);
    await clock.advance(30_000);
    expect(requeued).toEqual(['owner']);
    expect(writes.settled('owner')).toBe(true);
  });
});
