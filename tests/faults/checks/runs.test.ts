import { expect, it } from 'vitest';
import { type ContainerRun, overlaps } from './runs.ts';

const run = (id: string, identity: string, startedMs: number, endedMs?: number): ContainerRun => ({
  id,
  identity,
  podUid: id,
  startedMs,
  endedMs,
});

it.each([
  { name: 'one after another', runs: [run('a', 'x/db-0', 0, 10), run('b', 'x/db-0', 10)], problems: 0 },
  { name: 'side by side', runs: [run('a', 'x/db-0', 0), run('b', 'x/db-1', 5)], problems: 0 },
  { name: 'a moment together', runs: [run('b', 'x/db-0', 9), run('a', 'x/db-0', 0, 10)], problems: 1 },
  { name: 'one that never ended', runs: [run('a', 'x/db-0', 0), run('b', 'x/db-0', 9, 10)], problems: 1 },
])('overlaps: $name', ({ runs, problems }) => {
  expect(overlaps(runs)).toHaveLength(problems);
});
