import { Scope, silentLogger, systemClock } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { type Storage, type StorageBatch, StorageError, type StoredList } from '../storage/port.ts';
import { WatchCache } from './watch-cache.ts';

it('a store that goes away while the caches are filled again is only asked again', async () => {
  let lists = 0;
  const watchedFrom: number[] = [];
  const storage: Pick<Storage, 'list' | 'watch'> = {
    list: async (): Promise<StoredList> => {
      lists += 1;
      if (lists === 2) throw new StorageError('unavailable', 'no leader', undefined);
      return { revision: lists * 10, items: [], remaining: 0 };
    },
    watch: (_prefix, from, signal) => ({
      requestProgress: () => undefined,
      async *[Symbol.asyncIterator](): AsyncIterator<StorageBatch> {
        watchedFrom.push(from);
        if (watchedFrom.length === 1) throw new StorageError('compacted', 'history is gone', undefined);
        yield { revision: from, events: [] };
        await systemClock.sleep(60_000, signal).catch(() => undefined);
      },
    }),
  };
  const failures: unknown[] = [];
  const scope = new Scope('test', silentLogger, (_, error) => failures.push(error));
  const cache = new WatchCache({
    storage: storage as Storage,
    clock: systemClock,
    logger: silentLogger,
    defer: setImmediate,
  });
  await cache.start(scope);
  await cache.reached(31, 5_000);
  await scope.close();
  expect(failures).toEqual([]);
  expect(watchedFrom).toEqual([11, 31]);
});
