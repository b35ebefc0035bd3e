import { Scope, silentLogger, systemClock } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { type Storage, type StorageBatch, StorageError, type StorageWatch, type StoredList } from '../storage/port.ts';
import { PAST_REVISIONS, WatchCache } from './watch-cache.ts';

interface Listed {
  readonly revision: number;
}

/** A store without objects that remembers where it was asked to begin. */
class EmptyStorage implements Pick<Storage, 'list' | 'watch' | 'currentRevision'> {
  readonly listedAt: number[] = [];
  readonly watchedFrom: number[] = [];
  revision = 10;
  onList: (options: Listed) => void = () => {};
  onWatch: () => void = () => {};

  async currentRevision(): Promise<number> {
    return this.revision;
  }

  async list(_prefix: string, options: Listed): Promise<StoredList> {
    this.listedAt.push(options.revision);
    this.onList(options);
    return { revision: options.revision === 0 ? this.revision : options.revision, items: [], remaining: 0 };
  }

  watch(_prefix: string, from: number, signal: AbortSignal): StorageWatch {
    this.watchedFrom.push(from);
    const { onWatch, revision } = this;
    return {
      requestProgress: () => undefined,
      async *[Symbol.asyncIterator](): AsyncIterator<StorageBatch> {
        onWatch();
        yield { revision, events: [] };
        await systemClock.sleep(60_000, signal).catch(() => undefined);
      },
    };
  }
}

const failures: unknown[] = [];

const cacheOf = (storage: EmptyStorage): WatchCache =>
  new WatchCache({
    storage: storage as Pick<Storage, keyof EmptyStorage & keyof Storage> as Storage,
    clock: systemClock,
    logger: silentLogger,
    defer: setImmediate,
  });

async function started(storage: EmptyStorage): Promise<{ readonly cache: WatchCache; readonly scope: Scope }> {
  const scope = new Scope('test', silentLogger, (_, error) => failures.push(error));
  const cache = cacheOf(storage);
  await cache.start(scope);
  return { cache, scope };
}

const compacted = (): never => {
  throw new StorageError('compacted', 'history is gone', undefined);
};

it('a store that goes away while the caches are filled again is only asked again', async () => {
  const storage = new EmptyStorage();
  storage.onWatch = () => {
    if (storage.watchedFrom.length !== 1) return;
    storage.revision = 30;
    compacted();
  };
  storage.onList = () => {
    if (storage.listedAt.length === 2) throw new StorageError('unavailable', 'no leader', undefined);
  };
  const { cache, scope } = await started(storage);
  await cache.reached(30, 5_000);
  await scope.close();
  expect(failures).toEqual([]);
  expect(storage.watchedFrom).toEqual([2, 31]);
});

it('a server that starts knows the recent past, and is ready when it knows the present', async () => {
  const storage = new EmptyStorage();
  storage.revision = PAST_REVISIONS + 700;
  const { cache, scope } = await started(storage);
  expect(storage.listedAt).toEqual([700]);
  expect(storage.watchedFrom).toEqual([701]);
  expect(cache.revision).toBe(PAST_REVISIONS + 700);
  await scope.close();
});

it('a server that starts after a compaction begins with the present', async () => {
  const storage = new EmptyStorage();
  storage.revision = PAST_REVISIONS + 700;
  storage.onList = ({ revision }) => {
    if (revision !== 0) compacted();
  };
  const { scope } = await started(storage);
  expect(storage.listedAt).toEqual([700, 0]);
  expect(storage.watchedFrom).toEqual([PAST_REVISIONS + 701]);
  await scope.close();
});

it('nobody is answered from caches that do not show the present yet', async () => {
  const storage = new EmptyStorage();
  storage.revision = 700;
  const scope = new Scope('test', silentLogger, (_, error) => failures.push(error));
  const cache = cacheOf(storage);
  expect(await cache.reached(0, 20)).toBe(false);
  await cache.start(scope);
  expect(storage.listedAt).toEqual([1]);
  expect(await cache.reached(0, 20)).toBe(true);
  await scope.close();
});
