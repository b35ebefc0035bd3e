import { VirtualClock } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { storeHealth } from './store-health.ts';

it('asks the store once a second while it answers, and each time while it does not', async () => {
  const clock = new VirtualClock();
  let asked = 0;
  let isThere = true;
  const currentRevision = async () => {
    asked++;
    if (!isThere) throw new Error('no leader');
    return 1;
  };
  const health = storeHealth({ currentRevision }, clock);
  await health();
  await clock.advance(900);
  await health();
  expect(asked).toBe(1);
  isThere = false;
  await health();
  await clock.advance(200);
  await expect(health()).rejects.toThrow('no leader');
  await expect(health()).rejects.toThrow('no leader');
  expect(asked).toBe(3);
});
