import { describe, expect, it } from 'vitest';
import { actOnEach, slowStart } from './batches.ts';

describe('slowStart', () => {
  it('doubles its batches', async () => {
    const under: number[] = [];
    let now = 0;
    const result = await slowStart(10, async () => {
      under.push(++now);
      await Promise.resolve();
      now--;
    });
    expect(result).toEqual({ succeeded: 10, failure: undefined, failed: false });
    expect(Math.max(...under)).toBe(4);
    expect(under.slice(0, 3)).toEqual([1, 1, 2]);
  });
  it('stops after the batch that fails', async () => {
    const tried: number[] = [];
    const failure = new Error('quota');
    const result = await slowStart(100, async (index) => {
      tried.push(index);
      if (index === 2) throw failure;
    });
    expect([tried, result]).toEqual([[0, 1, 2], { succeeded: 2, failure, failed: true }]);
  });
});

describe('actOnEach', () => {
  it('does all although one fails, then tells of it', async () => {
    const done: number[] = [];
    const acting = actOnEach([1, 2, 3], async (item) => {
      if (item === 2) throw new Error('two');
      done.push(item);
    });
    await expect(acting).rejects.toThrow('two');
    expect(done).toEqual([1, 3]);
  });
  it('never has more than 32 under way', async () => {
    let now = 0;
    let most = 0;
    await actOnEach(Array.from({ length: 200 }), async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
    });
    expect(most).toBe(32);
  });
});
