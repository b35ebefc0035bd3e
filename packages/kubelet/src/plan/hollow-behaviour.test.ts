import type { Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { hollowAnswer, hollowBehaviour, hollowMistakes } from './hollow-behaviour.ts';

const defaults = { pullMs: 5, startMs: 20, stopMs: 10 };
const never = Number.POSITIVE_INFINITY;

function podOf(said: Readonly<Record<string, string>>, more: Partial<NonNullable<Pod['spec']>> = {}): Pod {
  const annotations = Object.fromEntries(
    Object.entries(said).map(([what, text]) => [`hollow.wherry.io/${what}`, text]),
  );
  const spec = { containers: [{ name: 'main' }, { name: 'side' }], initContainers: [{ name: 'init' }], ...more };
  return { metadata: { annotations }, spec };
}

describe('hollowBehaviour', () => {
  it('runs for ever and is ready at once when nothing is said', () => {
    expect(hollowBehaviour(podOf({}), 'main', defaults)).toMatchObject({
      ...defaults,
      readyAfterMs: 0,
      runMs: never,
      exitCode: 0,
    });
  });

  it.each([
    ['a pod that is meant to end', podOf({}, { restartPolicy: 'Never' }), 'main', 1_000],
    ['an init container', podOf({}), 'init', 100],
    ['a sidecar', podOf({}, { initContainers: [{ name: 'init', restartPolicy: 'Always' }] }), 'init', never],
    ['its annotation', podOf({ 'run-time': '1m30s' }), 'main', 90_000],
    ['the annotation of its own', podOf({ 'run-time': '1m', 'run-time.side': 'never' }), 'side', never],
    ['not that of the regular containers', podOf({ 'run-time': '1m' }), 'init', 100],
    ['one of its own for an init container', podOf({ 'run-time.init': '2s' }), 'init', 2_000],
    ['what can be read only', podOf({ 'run-time': '-1s' }), 'main', never],
  ])('ends a container by %s', (_, pod, container, runMs) => {
    expect(hollowBehaviour(pod, container, defaults).runMs).toBe(runMs);
  });

  it('reads the rest', () => {
    const said = { 'exit-code': '3', 'pull-failure': 'no such image', 'stop-time': 'never', 'ready-after': '2s' };
    expect(hollowBehaviour(podOf(said), 'main', defaults)).toMatchObject({
      exitCode: 3,
      pullFailure: 'no such image',
      stopMs: never,
      readyAfterMs: 2_000,
    });
  });
});

describe('hollowMistakes', () => {
  it.each([
    [{ 'run-time': '5' }, 'annotation hollow.wherry.io/run-time: "5" is no duration, and not "never"'],
    [{ 'exit-code': '256' }, 'annotation hollow.wherry.io/exit-code: "256" is no exit code from 0 to 255'],
    [{ 'run-time.gone': '5s' }, 'annotation hollow.wherry.io/run-time.gone: the pod has no container "gone"'],
    [{ runtime: '5s' }, 'annotation hollow.wherry.io/runtime: hollow nodes know only pull-time, '],
  ])('names %o', (said, words) => {
    expect(hollowMistakes(podOf(said)).join()).toContain(words);
  });

  it('finds none in what is right', () => {
    expect(hollowMistakes(podOf({ 'run-time.main': '1s', 'pull-failure': '', 'exit-code': '0' }))).toEqual([]);
    expect(hollowMistakes({ metadata: { annotations: { 'example.com/run-time': 'x' } } })).toEqual([]);
  });
});

describe('hollowAnswer', () => {
  const late = hollowBehaviour(
    podOf({ 'ready-after': '5s', 'unready-after': '20s', 'unready-for': '4s' }),
    'main',
    defaults,
  );
  const ill = hollowBehaviour(podOf({ 'unhealthy-after': '9s' }), 'main', defaults);
  it.each([
    ['readiness', late, 4_999, 'failure', undefined],
    ['readiness', late, 5_000, 'success', 15_000],
    ['readiness', late, 20_000, 'failure', undefined],
    ['readiness', late, 24_000, 'success', never],
    ['startup', late, 4_999, 'failure', undefined],
    ['startup', late, 21_000, 'success', never],
    ['liveness', late, 0, 'success', never],
    ['liveness', ill, 4_000, 'success', 5_000],
    ['liveness', ill, 9_000, 'failure', undefined],
  ] as const)('%s of %o at %d ms is a %s', (kind, behaviour, ageMs, answer, sameForMs) => {
    const result = hollowAnswer(kind, behaviour, ageMs);
    expect(result.kind).toBe(answer);
    expect(result.kind === 'success' ? result.sameForMs : undefined).toBe(sameForMs);
  });
});
