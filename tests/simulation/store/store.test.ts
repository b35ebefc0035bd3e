import { describe, expect, it } from 'vitest';
import { checkHistory, type Operation } from './checkers.ts';
import { StoreSimulation } from './simulation.ts';

/** `WHERRY_SEED=7` runs that seed alone; `WHERRY_SEEDS=500` runs more than usual. */
const only = process.env['WHERRY_SEED'];
const count = Number(process.env['WHERRY_SEEDS'] ?? 40);
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];

describe('a store under faults', () => {
  it.each(seeds)('keeps its promises (seed %i)', async (seed) => {
    const simulation = new StoreSimulation(seed, seed % 5 === 0 ? 5 : 3);
    try {
      await simulation.run(60);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}; replay: WHERRY_SEED=${seed}`, {
        cause: error,
      });
    }
    // A run in which nothing happened proves nothing.
    expect(simulation.acknowledged).toBeGreaterThan(20);
    expect(simulation.reads).toBeGreaterThan(10);
    expect(simulation.kills).toBeGreaterThan(2);
  });

  it('gives the same run for the same seed', async () => {
    const run = async () => {
      const simulation = new StoreSimulation(3, 3);
      await simulation.run(20);
      return [simulation.acknowledged, simulation.reads, simulation.kills];
    };
    expect(await run()).toEqual(await run());
  });
});

describe('the checker of histories', () => {
  const op = (part: Partial<Operation>): Operation => ({
    kind: 'put',
    key: 'a',
    value: '1',
    startedMs: 0,
    endedMs: 1,
    revision: 2,
    refused: undefined,
    ...part,
  });
  const event = { key: 'a', value: '1', revision: 2 };

  it.each<[string, Operation[], (typeof event)[], RegExp]>([
    ['a lost write', [op({})], [], /is lost/],
    [
      'a stale read',
      [op({}), op({ kind: 'read', startedMs: 2, endedMs: 3, revision: 1, value: undefined })],
      [event],
      /was known before/,
    ],
    ['a wrong read', [op({}), op({ kind: 'read', startedMs: 2, endedMs: 3, value: '0' })], [event], /saw 0, was 1/],
    ['a write out of nowhere', [], [event], /never written/],
    ['a refused write that happened', [op({ endedMs: undefined, refused: 'noLeader' })], [event], /refused, yet/],
  ])('finds %s', (_name, operations, events, message) => {
    expect(() => checkHistory(operations, events)).toThrow(message);
  });
});
