import { describe, expect, it } from 'vitest';
import { faultTargets } from './fault.ts';
import { collisions, randomPlan, sequentialPlan } from './plan.ts';

const options = { seed: 7, durationMs: 600_000, pauseMs: 20_000, targets: faultTargets };

describe('randomPlan', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(randomPlan(options)).toEqual(randomPlan(options));
    expect(randomPlan({ ...options, seed: 8 })).not.toEqual(randomPlan(options));
  });

  it.each([1, 2, 3, 4, 5])('keeps a majority and two nodes with seed %i, and hits everything both ways', (seed) => {
    const plan = randomPlan({ ...options, seed });
    expect(collisions(plan)).toEqual([]);
    expect(plan.map(({ number }) => number)).toEqual(plan.map((_, index) => index + 1));
    expect(Math.max(...plan.map(({ atMs, forMs }) => atMs + forMs))).toBeLessThanOrEqual(options.durationMs);
    expect(plan.length).toBeGreaterThan(40);
    const kinds = plan.map(({ target, action }) => `${action} ${target}`);
    expect(new Set(kinds).size).toBe(2 * faultTargets.length);
  });

  it('keeps to the targets it is given', () => {
    const plan = randomPlan({ ...options, targets: ['store-leader'] });
    expect(plan.length).toBeGreaterThan(10);
    expect(new Set(plan.map(({ target }) => target))).toEqual(new Set(['store-leader']));
    expect(randomPlan({ ...options, targets: [] })).toEqual([]);
  });
});

it('sequentialPlan kills and pauses each target once, in order', () => {
  const plan = sequentialPlan({ targets: ['store-leader', 'proxy'], killMs: 2_000, pauseMs: 8_000 });
  expect(plan.map(({ target, action, forMs }) => `${action} ${target} ${forMs}`)).toEqual([
    'kill store-leader 2000',
    'pause store-leader 8000',
    'kill proxy 2000',
    'pause proxy 8000',
  ]);
});

it('collisions finds two faults of one redundancy at a time', () => {
  const fault = { number: 1, action: 'pause', forMs: 10, pick: 0 } as const;
  const one = { ...fault, target: 'store-leader', atMs: 0 } as const;
  const other = { ...fault, target: 'store-follower', atMs: 9 } as const;
  expect(collisions([one, other])).toEqual([[one, other]]);
  expect(collisions([one, { ...other, atMs: 10 }])).toEqual([]);
  expect(collisions([one, { ...other, target: 'proxy' }])).toEqual([]);
});
