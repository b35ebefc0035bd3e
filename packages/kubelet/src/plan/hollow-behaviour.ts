// How simulated containers behave, as annotations of their pod say: `hollow.wherry.io/<what>` for all of its regular
// containers, `hollow.wherry.io/<what>.<container>` for one, init containers included.
import type { Pod } from '@wherry/api';
import { parseDuration } from '@wherry/daemon';
import type { ProbeResult } from './probe-state.ts';
import type { ProbeKind } from './probe-verdicts.ts';

export interface HollowBehaviour {
  /** Time that a pull of its image takes on a node that lacks it. */
  readonly pullMs: number;
  /** Why its image cannot be pulled. */
  readonly pullFailure: string | undefined;
  readonly startMs: number;
  /** Startup and readiness probes fail until then, from the start of the container. */
  readonly readyAfterMs: number;
  /** Readiness probes fail from then on … */
  readonly unreadyAfterMs: number;
  /** … for so long. */
  readonly unreadyForMs: number;
  /** Liveness probes fail from then on; a restarted container is well again. */
  readonly unhealthyAfterMs: number;
  /** It exits by itself after so long; Infinity: it runs until it is stopped. */
  readonly runMs: number;
  readonly exitCode: number;
  /** How long it takes to obey SIGTERM; with more than the grace period it is killed. */
  readonly stopMs: number;
}

/** Of a container that nothing is said about. */
export type HollowDefaults = Pick<HollowBehaviour, 'pullMs' | 'startMs' | 'stopMs'>;

/** Containers of pods that are meant to end (Jobs') end by themselves, and so do init containers. */
const jobRunMs = 1_000;
const initRunMs = 100;

const prefix = 'hollow.wherry.io/';
const durations = {
  'pull-time': 'pullMs',
  'start-time': 'startMs',
  'ready-after': 'readyAfterMs',
  'unready-after': 'unreadyAfterMs',
  'unready-for': 'unreadyForMs',
  'unhealthy-after': 'unhealthyAfterMs',
  'run-time': 'runMs',
  'stop-time': 'stopMs',
} as const satisfies Record<string, keyof HollowBehaviour>;
const others: readonly string[] = ['pull-failure', 'exit-code'];

const never = Number.POSITIVE_INFINITY;

/** `never` and Go's durations, not negative; undefined for anything else. */
function durationOf(text: string): number | undefined {
  if (text === 'never') return never;
  const ms = parseDuration(text);
  return ms === undefined || ms < 0 ? undefined : ms;
}

function exitCodeOf(text: string): number | undefined {
  const code = Number(text);
  return /^\d{1,3}$/.test(text) && code <= 255 ? code : undefined;
}

function hasOwnAnnotations(pod: Pod): boolean {
  return Object.keys(pod.metadata?.annotations ?? {}).some((key) => key.startsWith(prefix));
}

/** What is written and cannot be read counts as not written; `hollowMistakes` tells. */
export function hollowBehaviour(pod: Pod, container: string, defaults: HollowDefaults): HollowBehaviour {
  const isInit = pod.spec?.initContainers?.some(({ name, restartPolicy }) => name === container && !restartPolicy);
  const ends = (pod.spec?.restartPolicy ?? 'Always') !== 'Always';
  const usual: HollowBehaviour = {
    ...defaults,
    pullFailure: undefined,
    readyAfterMs: 0,
    unreadyAfterMs: never,
    unreadyForMs: never,
    unhealthyAfterMs: never,
    runMs: isInit === true ? initRunMs : ends ? jobRunMs : never,
    exitCode: 0,
  };
  if (!hasOwnAnnotations(pod)) return usual;
  const annotations = pod.metadata?.annotations ?? {};
  const said = (what: string): string | undefined =>
    annotations[`${prefix}${what}.${container}`] ?? (isInit === true ? undefined : annotations[prefix + what]);
  const read: Partial<Record<keyof HollowBehaviour, number>> = {};
  for (const [what, field] of Object.entries(durations)) {
    const text = said(what);
    const ms = text === undefined ? undefined : durationOf(text);
    if (ms !== undefined) read[field] = ms;
  }
  const code = exitCodeOf(said('exit-code') ?? '');
  return {
    ...usual,
    ...read,
    ...(code !== undefined && { exitCode: code }),
    pullFailure: said('pull-failure'),
  };
}

/** Annotations of ours that say nothing, each in a sentence. */
export function hollowMistakes(pod: Pod): readonly string[] {
  if (!hasOwnAnnotations(pod)) return [];
  const names = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].map(({ name }) => name);
  return Object.entries(pod.metadata?.annotations ?? {}).flatMap(([key, text]) => {
    if (!key.startsWith(prefix)) return [];
    const [what = '', container] = splitOnce(key.slice(prefix.length));
    if (container !== undefined && !names.includes(container))
      return [`annotation ${key}: the pod has no container "${container}"`];
    if (Object.hasOwn(durations, what)) {
      return durationOf(text) === undefined ? [`annotation ${key}: "${text}" is no duration, and not "never"`] : [];
    }
    if (!others.includes(what)) {
      const known = [...Object.keys(durations), ...others].join(', ');
      return [`annotation ${key}: hollow nodes know only ${known}`];
    }
    const isBad = what === 'exit-code' && exitCodeOf(text) === undefined;
    return isBad ? [`annotation ${key}: "${text}" is no exit code from 0 to 255`] : [];
  });
}

function splitOnce(text: string): readonly (string | undefined)[] {
  const dot = text.indexOf('.');
  return dot === -1 ? [text] : [text.slice(0, dot), text.slice(dot + 1)];
}

/** How a container answers a probe at an age, and how long it will go on to answer so. */
export function hollowAnswer(kind: ProbeKind, behaviour: HollowBehaviour, ageMs: number): ProbeResult {
  const failing = troubles(kind, behaviour).find(({ fromMs, toMs }) => ageMs >= fromMs && ageMs < toMs);
  if (failing !== undefined) return { kind: 'failure', output: `hollow container ${failing.words}` };
  const next = troubles(kind, behaviour).filter(({ fromMs, toMs }) => fromMs > ageMs && toMs > fromMs);
  return { kind: 'success', output: '', sameForMs: Math.min(never, ...next.map(({ fromMs }) => fromMs - ageMs)) };
}

function troubles(kind: ProbeKind, behaviour: HollowBehaviour) {
  const { readyAfterMs, unreadyAfterMs, unreadyForMs, unhealthyAfterMs } = behaviour;
  if (kind === 'liveness') return [{ fromMs: unhealthyAfterMs, toMs: never, words: 'is not well any more' }];
  const starting = { fromMs: 0, toMs: readyAfterMs, words: 'is not ready yet' };
  if (kind === 'startup') return [starting];
  return [starting, { fromMs: unreadyAfterMs, toMs: unreadyAfterMs + unreadyForMs, words: 'is not ready now' }];
}
