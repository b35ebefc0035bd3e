import { describe, expect, it } from 'vitest';
import { nextHealth, unknownHealth, type Verdict } from './backend-health.ts';

const verdicts: Readonly<Record<string, Verdict>> = {
  R: { kind: 'ready' },
  u: { kind: 'unready', why: 'waits' },
  x: { kind: 'refused', why: 'nobody' },
  s: { kind: 'silent', why: 'quiet' },
  f: { kind: 'failed', why: 'reset' },
};

/** The state after each verdict; thresholds: 3 good, 2 bad. */
function run(letters: string): string {
  let health = unknownHealth;
  const states: string[] = [];
  for (const letter of letters) {
    health = nextHealth(health, verdicts[letter] ?? { kind: 'ready' }, { healthy: 3, unhealthy: 2 });
    states.push({ unknown: '?', down: '-', unready: 'o', ready: '+' }[health.state]);
  }
  return states.join('');
}

describe('nextHealth', () => {
  it.each([
    ['believes the first verdict: ready', 'R', '+'],
    ['believes the first verdict: unready', 'u', 'o'],
    ['believes the first verdict: failed', 'f', '-'],
    ['believes a refusal at once', 'Rx', '+-'],
    ['believes silence at once', 'Rs', '+-'],
    ['believes a refusal of an unready one at once', 'ux', 'o-'],
    ['takes several failures', 'Rff', '++-'],
    ['forgets a failure after a good check', 'RfRfRff', '++++++-'],
    ['takes several unready answers', 'Ruu', '++o'],
    ['adds unready and failed, the last one decides', 'Rfu', '++o'],
    ['takes several good checks to come back', 'xRRR', '---+'],
    ['starts counting anew after a bad one', 'xRRxRRR', '------+'],
    ['comes back to unready first', 'xuuuRRR', '---ooo+'],
    ['counts any answer as better than none', 'xuRR', '---+'],
    ['turns around when the direction changes', 'uRRfRRR', 'oooooo+'],
    ['lets an unready one fail', 'uff', 'oo-'],
  ])('%s', (_name, letters, expected) => expect(run(letters)).toBe(expected));

  it('says why', () => {
    const thresholds = { healthy: 1, unhealthy: 1 };
    const down = nextHealth(unknownHealth, { kind: 'refused', why: 'nobody' }, thresholds);
    expect(down.why).toBe('nobody');
    expect(nextHealth(down, { kind: 'ready' }, thresholds)).toEqual({ state: 'ready', run: undefined, why: '' });
  });
});
