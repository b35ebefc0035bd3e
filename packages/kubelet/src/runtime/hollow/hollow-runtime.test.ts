import { systemClock, systemRandom } from '@wherry/daemon';
import { describe, it } from 'vitest';
import { runtimeCases } from '../runtime-cases.ts';
import { HollowRuntime } from './hollow-runtime.ts';

describe('HollowRuntime', () => {
  it.each(runtimeCases)('$name', async ({ run }) => {
    const runtime = new HollowRuntime({ clock: systemClock, random: systemRandom });
    await runtime.pullImage('x:1');
    await run({
      runtime,
      image: 'x:1',
      args: [],
      newUid: () => systemRandom.uuid(),
      sleep: (ms) => systemClock.sleep(ms),
    });
  });
});
