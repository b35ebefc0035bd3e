import { VirtualClock } from '@wherry/daemon';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Verdict } from '../health/backend-health.ts';
import { check } from './check.ts';
import type { Answer, Asker } from './https-asker.ts';

type Script = Readonly<Record<string, { readonly afterMs: number; readonly answer: Answer } | undefined>>;

const ok: Answer = { kind: 'answered', status: 200, body: 'ok' };
const sick: Answer = { kind: 'answered', status: 500, body: '[+]ping ok\n[-]etcd failed: no leader\nfailed' };
const refused: Answer = { kind: 'failed', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' };
const reset: Answer = { kind: 'failed', code: 'ECONNRESET', message: 'socket hang up' };

describe('check', () => {
  let clock: VirtualClock;
  let asked: string[];
  let aborted: string[];
  beforeEach(() => {
    clock = new VirtualClock(0);
    asked = [];
    aborted = [];
  });

  const asker = (script: Script): Asker => ({
    ask: (path, signal) =>
      new Promise((resolve) => {
        asked.push(`${path} at ${clock.now()}`);
        const line = script[path];
        if (line !== undefined) clock.setTimer(line.afterMs, () => resolve(line.answer));
        signal.addEventListener('abort', () => {
          aborted.push(path);
          resolve({ kind: 'failed', code: 'ABORT_ERR', message: 'aborted' });
        });
      }),
    close() {},
  });
  const run = async (script: Script): Promise<Verdict> => {
    const options = { clock, readyPath: '/readyz', livePath: '/livez', timeoutMs: 650, patienceMs: 250 };
    const verdict = check({ ...options, asker: asker(script) }, new AbortController().signal);
    await clock.advance(1000);
    return verdict;
  };

  it.each<[string, Script, Verdict]>([
    ['a ready one', { '/readyz': { afterMs: 5, answer: ok } }, { kind: 'ready' }],
    [
      'an unready one, with the reasons',
      { '/readyz': { afterMs: 5, answer: sick } },
      { kind: 'unready', why: '/readyz says 500; [-]etcd failed: no leader' },
    ],
    ['a refusal', { '/readyz': { afterMs: 5, answer: refused } }, { kind: 'refused', why: 'connect ECONNREFUSED' }],
    ['a reset', { '/readyz': { afterMs: 5, answer: reset } }, { kind: 'failed', why: 'socket hang up' }],
    [
      'one that lives but waits',
      { '/livez': { afterMs: 5, answer: ok } },
      { kind: 'unready', why: '/readyz gave no answer within 250 ms' },
    ],
    ['a slow ready one', { '/readyz': { afterMs: 300, answer: ok } }, { kind: 'ready' }],
    [
      'one that died meanwhile',
      { '/livez': { afterMs: 5, answer: refused } },
      { kind: 'refused', why: refused.message },
    ],
    ['silence', {}, { kind: 'silent', why: 'no answer within 650 ms' }],
    [
      'an answer that is too late',
      { '/readyz': { afterMs: 700, answer: ok } },
      { kind: 'silent', why: 'no answer within 650 ms' },
    ],
  ])('recognises %s', async (_name, script, expected) => expect(await run(script)).toEqual(expected));

  it('asks for life only when readiness is slow, and drops what it no longer needs', async () => {
    await run({ '/readyz': { afterMs: 200, answer: ok } });
    expect(asked).toEqual(['/readyz at 0']);
    expect(clock.pendingTimers).toBe(0);
    asked = [];
    aborted = [];
    await run({ '/livez': { afterMs: 5, answer: ok } });
    expect(asked).toEqual(['/readyz at 1000', '/livez at 1250']);
    expect(aborted).toContain('/readyz');
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends with its caller', async () => {
    const stop = new AbortController();
    const options = { clock, readyPath: '/readyz', livePath: '/livez', timeoutMs: 650, patienceMs: 250 };
    const verdict = check({ ...options, asker: asker({}) }, stop.signal);
    stop.abort();
    expect((await verdict).kind).toBe('failed');
    expect(clock.pendingTimers).toBe(0);
  });
});
