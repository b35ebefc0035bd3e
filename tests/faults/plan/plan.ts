import { type Random, seededRandom } from '@wherry/daemon';
import { type Fault, type FaultTarget, faultTargets, groupOf } from './fault.ts';

export interface RandomPlanOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly pauseMs: number;
  readonly targets: readonly FaultTarget[];
}

/** What a supervisor waits before it starts a dead process again: systemd's RestartSec in deploy/ is 2 s. */
const KILL_MS = { min: 500, max: 8_000 };
const GAP_MS = { min: 500, max: 6_000 };

/**
 * Two rows of faults run side by side, one among the nodes' parts and one among the control plane's: what a node does
 * while its servers fail is part of what is asked. Faults of one row do not overlap, so that never more than a minority
 * of the store is away, nor two nodes at once; but the next may come before the last is overcome.
 */
const rows: readonly (readonly FaultTarget[])[] = [
  faultTargets.filter((target) => !isOfNodes(target)),
  faultTargets.filter(isOfNodes),
];

function isOfNodes(target: FaultTarget): boolean {
  return target === 'kubelet' || target === 'proxy' || target === 'engine';
}

/** The same seed and options give the same faults at the same times. None ends after `durationMs`. */
export function randomPlan({ seed, durationMs, pauseMs, targets }: RandomPlanOptions): readonly Fault[] {
  const random = seededRandom(seed);
  const faults = rows
    .map((row) => row.filter((target) => targets.includes(target)))
    .flatMap((row) => randomRow(row, random, durationMs, pauseMs));
  return numbered(faults);
}

/** Drawn as from a bag that is filled again when it is empty: in ten minutes everything has its turn, both ways. */
function randomRow(row: readonly FaultTarget[], random: Random, durationMs: number, pauseMs: number): Unnumbered[] {
  const all = row.flatMap((target) => [
    { target, action: 'kill' as const },
    { target, action: 'pause' as const },
  ]);
  const faults: Unnumbered[] = [];
  let bag: typeof all = [];
  for (let atMs = 0; all.length > 0; ) {
    if (bag.length === 0) bag = [...all];
    const [drawn] = bag.splice(random.integer(bag.length), 1);
    if (drawn === undefined) break;
    atMs += between(random, GAP_MS);
    const forMs = drawn.action === 'kill' ? between(random, KILL_MS) : pauseMs;
    const pick = random.next();
    if (atMs + forMs > durationMs) break;
    faults.push({ ...drawn, atMs, forMs, pick });
    atMs += forMs;
  }
  return faults;
}

/** Each target killed and paused once, in order; the times only say how long: whoever runs it waits between them. */
export function sequentialPlan(options: {
  readonly targets: readonly FaultTarget[];
  readonly killMs: number;
  readonly pauseMs: number;
}): readonly Fault[] {
  const { targets, killMs, pauseMs } = options;
  return numbered(
    targets.flatMap((target, index) => [
      // Turn by turn: with several nodes each meets something.
      { target, action: 'kill' as const, atMs: 0, forMs: killMs, pick: (index % 3) / 3 },
      { target, action: 'pause' as const, atMs: 0, forMs: pauseMs, pick: ((index + 1) % 3) / 3 },
    ]),
  );
}

type Unnumbered = Omit<Fault, 'number'>;

function numbered(faults: readonly Unnumbered[]): readonly Fault[] {
  return [...faults].sort((a, b) => a.atMs - b.atMs).map((fault, index) => ({ ...fault, number: index + 1 }));
}

function between(random: Random, { min, max }: { readonly min: number; readonly max: number }): number {
  return Math.round(min + random.next() * (max - min));
}

/** Faults of one group that are in force together; a plan has none. */
export function collisions(faults: readonly Fault[]): readonly (readonly [Fault, Fault])[] {
  return faults.flatMap((one, index) =>
    faults
      .slice(index + 1)
      .filter((other) => groupOf(one.target) === groupOf(other.target) && other.atMs < one.atMs + one.forMs)
      .map((other) => [one, other] as const),
  );
}
