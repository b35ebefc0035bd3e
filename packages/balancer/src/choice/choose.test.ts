import { seededRandom } from '@wherry/daemon';
import { describe, expect, it } from 'vitest';
import type { BackendState } from '../health/backend-health.ts';
import { choose } from './choose.ts';

const states: Readonly<Record<string, BackendState>> = { '+': 'ready', o: 'unready', '-': 'down', '?': 'unknown' };
/** `+3 -0`: a ready one with three connections, a down one with none. */
const candidates = (text: string) =>
  text.split(' ').map((word, index) => ({
    index,
    state: states[word.charAt(0)] ?? 'unknown',
    connections: Number(word.slice(1)),
  }));
const last = { integer: (maxExclusive: number) => Math.max(0, maxExclusive - 1) };

describe('choose', () => {
  it.each([
    ['+3 +1 +2', true, 1],
    ['+1 +1 +2', true, 1],
    ['+9 -0 o0 ?0', true, 0],
    ['-0 o5 o4', true, 2],
    ['-0 ?1 o4', true, 1],
    ['-0 o5 ?0', false, undefined],
    ['-0 -1', true, undefined],
  ])('from %s (fallback %s) takes %s', (text, fallback, expected) => {
    expect(choose(candidates(text), fallback, last)?.index).toBe(expected);
  });

  it('takes none from none', () => expect(choose([], true, last)).toBeUndefined());

  it('breaks ties evenly', () => {
    const random = seededRandom(7);
    const counts = [0, 0, 0];
    for (let round = 0; round < 3000; round++) {
      const { index } = choose(candidates('+2 +2 +2 +3'), true, random) ?? { index: -1 };
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect(counts.length).toBe(3);
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});
