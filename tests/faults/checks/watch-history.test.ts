import { type ConfigMap, resources } from '@wherry/api';
import type { ApiClient, WatchEvent } from '@wherry/client';
import { systemClock } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { differences, WatchHistory } from './watch-history.ts';

/** A server that tells these changes, each under its revision. */
function telling(name: string, revisions: readonly number[]): WatchHistory<ConfigMap> {
  const fake = {
    list: async () => ({ items: [], metadata: { resourceVersion: '10' } }),
    async *watch(_: unknown, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<WatchEvent<ConfigMap>> {
      for (const revision of revisions)
        yield { type: 'ADDED', object: { metadata: { name: `c${revision}`, resourceVersion: String(revision) } } };
      await systemClock.sleep(60_000, signal);
    },
  };
  return new WatchHistory(name, fake as unknown as ApiClient, resources.configmaps);
}

async function told(name: string, revisions: readonly number[]): Promise<WatchHistory<ConfigMap>> {
  const history = telling(name, revisions);
  await history.start();
  await systemClock.sleep(20);
  await history.stop();
  return history;
}

it('WatchHistory finds revisions that go back', async () => {
  expect((await told('a', [11, 12, 15])).problems).toEqual([]);
  expect((await told('a', [11, 15, 12])).problems).toEqual(['a: ADDED at 12 came after 15']);
  expect((await told('a', [11, 11])).problems).toHaveLength(1);
});

it('differences compares two watchers as far as both have seen', async () => {
  const one = await told('a', [11, 12, 15]);
  expect(differences(one, await told('b', [11, 12]))).toEqual([]);
  expect(differences(one, await told('b', [11, 12, 15]))).toEqual([]);
  expect(differences(one, await told('b', [11, 15]))).toEqual([
    'a and b differ: "ADDED /c12 at 12" against "ADDED /c15 at 15"',
  ]);
});
