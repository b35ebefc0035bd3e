import { Scope, silentLogger, VirtualClock } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { Prober } from './prober.ts';

it('checks at its interval, sooner when somebody suspects a death, and never in a rush', async () => {
  const clock = new VirtualClock(0);
  const scope = new Scope('test', silentLogger);
  const starts: number[] = [];
  let verdicts = 0;
  const prober = new Prober({
    name: 'b',
    clock,
    intervalMs: 250,
    check: async () => {
      starts.push(clock.now());
      await clock.sleep(10);
      return { kind: 'ready' };
    },
    onVerdict: () => verdicts++,
  });
  prober.run(scope);
  await clock.advance(600);
  expect(starts).toEqual([0, 250, 500]);
  prober.suspect();
  await clock.advance(0);
  expect(starts.at(-1)).toBe(600);
  prober.suspect();
  prober.suspect();
  await clock.advance(49);
  expect(starts.at(-1)).toBe(600);
  await clock.advance(1);
  expect(starts.at(-1)).toBe(650);
  await clock.advance(260);
  expect(starts).toEqual([0, 250, 500, 600, 650, 900]);
  expect(verdicts).toBe(6);
  await scope.close();
  expect(clock.pendingTimers).toBe(0);
});
