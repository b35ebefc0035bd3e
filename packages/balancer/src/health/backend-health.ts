/** What one check, or one attempt to connect, says about a backend. */
export type Verdict =
  | { readonly kind: 'ready' }
  /** It answers, but not that it is ready: it starts, drains, or has lost its store. */
  | { readonly kind: 'unready'; readonly why: string }
  /** Nobody listens there. */
  | { readonly kind: 'refused'; readonly why: string }
  /** No answer to anything in time: paused, hanging or unreachable. */
  | { readonly kind: 'silent'; readonly why: string }
  /** Reset, wrong certificate, no route: may be an accident, so it takes several. */
  | { readonly kind: 'failed'; readonly why: string };

/** From worst to best; `unknown` until the first verdict. */
export type BackendState = 'unknown' | 'down' | 'unready' | 'ready';

export interface BackendHealth {
  readonly state: BackendState;
  /** Verdicts in a row that disagree with `state` in the same direction. */
  readonly run: { readonly direction: 'better' | 'worse'; readonly count: number } | undefined;
  /** Why it is not ready; empty when it is. */
  readonly why: string;
}

export interface Thresholds {
  /** Verdicts in a row that make a backend better: at least 1. */
  readonly healthy: number;
  /** Verdicts in a row that make it worse: at least 1. Refusal and silence are believed at once. */
  readonly unhealthy: number;
}

export const unknownHealth: BackendHealth = { state: 'unknown', run: undefined, why: 'not checked yet' };

const stateOf = {
  ready: 'ready',
  unready: 'unready',
  refused: 'down',
  silent: 'down',
  failed: 'down',
} as const satisfies Record<Verdict['kind'], BackendState>;

const rank: Readonly<Record<BackendState, number>> = { unknown: 0, down: 0, unready: 1, ready: 2 };

/** The health after one more verdict. The first is believed whatever it says: a start must not wait for thresholds. */
export function nextHealth(health: BackendHealth, verdict: Verdict, thresholds: Thresholds): BackendHealth {
  const state = stateOf[verdict.kind];
  const why = verdict.kind === 'ready' ? '' : verdict.why;
  const settled: BackendHealth = { state, run: undefined, why };
  if (health.state === 'unknown' || health.state === state) return settled;
  if (verdict.kind === 'refused' || verdict.kind === 'silent') return settled;
  const direction = rank[state] > rank[health.state] ? 'better' : 'worse';
  const count = health.run?.direction === direction ? health.run.count + 1 : 1;
  const needed = direction === 'better' ? thresholds.healthy : thresholds.unhealthy;
  return count >= needed ? settled : { ...health, run: { direction, count } };
}
