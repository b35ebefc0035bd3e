import { afterEach, describe, expect, it } from 'vitest';
import { bugs } from './bugs.ts';
import { STORM_EVERY, StoreSimulation } from './simulation.ts';

/** Runs of a simulated minute within which a mistake has to show. */
const RUNS_MAX = 20;

let undo: (() => void) | undefined;
afterEach(() => {
  undo?.();
  undo = undefined;
});

/** What the checkers say first, and after how many runs. */
async function firstFailure(everySeed: number): Promise<string | undefined> {
  for (let run = 1; run <= RUNS_MAX; run++) {
    const seed = run * everySeed;
    try {
      await new StoreSimulation(seed, seed % 5 === 0 ? 5 : 3).run(60);
    } catch (error) {
      return `seed ${seed}: ${error instanceof Error ? error.message : error}`;
    }
  }
  return undefined;
}

describe('the simulation finds out that', () => {
  it.each(bugs)('$name', async ({ plant, needsStorm }) => {
    undo = plant();
    expect(await firstFailure(needsStorm === true ? STORM_EVERY : 1)).toBeDefined();
  });

  it('mistakes are many enough to tell', () => {
    expect(bugs.length).toBeGreaterThanOrEqual(15);
  });
});
