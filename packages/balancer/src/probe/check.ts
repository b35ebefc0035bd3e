import type { Clock, Timer } from '@wherry/daemon';
import type { Verdict } from '../health/backend-health.ts';
import { setDeadline } from '../timing/deadline.ts';
import type { Answer, Asker } from './https-asker.ts';

export interface CheckOptions {
  readonly asker: Asker;
  readonly clock: Clock;
  readonly readyPath: string;
  readonly livePath: string;
  /** All of it; then the backend is silent. */
  readonly timeoutMs: number;
  /** When readiness has not answered for so long, life is asked for as well: above 0, below `timeoutMs`. */
  readonly patienceMs: number;
}

/** One for all: the reason that an abort makes by itself, with its stack, was a sixth of an idle balancer's work. */
const over = new Error('the check is over');

/**
 * One check of a backend. Readiness alone cannot tell a paused server from one whose store is away, because it waits for
 * the store: hence the second question, which costs nothing while all is well.
 */
export function check(options: CheckOptions, signal: AbortSignal): Promise<Verdict> {
  const { asker, clock, readyPath, livePath, timeoutMs, patienceMs } = options;
  return new Promise((resolve, reject) => {
    const asking = new AbortController();
    const timers: Timer[] = [];
    let finished = false;
    const finish = (verdict: Verdict) => {
      if (finished) return;
      finished = true;
      for (const timer of timers) timer.cancel();
      signal.removeEventListener('abort', stop);
      asking.abort(over);
      resolve(verdict);
    };
    const stop = () => finish({ kind: 'failed', why: 'the check was stopped' });
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    const ask = (path: string, judge: (answer: Answer) => Verdict) => {
      asker.ask(path, asking.signal).then((answer) => finish(judge(answer)), reject);
    };
    ask(readyPath, (answer) => readiness(readyPath, answer));
    timers.push(
      setDeadline(clock, patienceMs, () => {
        ask(livePath, (answer) =>
          answer.kind === 'answered'
            ? { kind: 'unready', why: `${readyPath} gave no answer within ${patienceMs} ms` }
            : failure(answer),
        );
      }),
      setDeadline(clock, timeoutMs, () => finish({ kind: 'silent', why: `no answer within ${timeoutMs} ms` })),
    );
  });
}

function readiness(path: string, answer: Answer): Verdict {
  if (answer.kind === 'failed') return failure(answer);
  if (answer.status === 200) return { kind: 'ready' };
  const failing = answer.body.split('\n').filter((line) => line.startsWith('[-]'));
  return { kind: 'unready', why: [`${path} says ${answer.status}`, ...failing].join('; ') };
}

function failure({ code, message }: Extract<Answer, { kind: 'failed' }>): Verdict {
  return code === 'ECONNREFUSED' ? { kind: 'refused', why: message } : { kind: 'failed', why: message };
}
