import type { Check, ClusterView, FilterPlugin, Profile, Refusal, WeightedScorePlugin } from './plugin.ts';
import type { PodInfo } from './pod-info.ts';

/** Below this many nodes all are looked at; at least this many feasible ones are compared. */
const FEASIBLE_MIN = 100;
const FEASIBLE_PERCENT_MIN = 5;

/** What became of one attempt to place a pod. */
export type Attempt =
  | {
      readonly kind: 'placed';
      readonly nodeName: string;
      readonly row: number;
      readonly score: number;
      /** Nodes looked at, those among them that could take the pod. */
      readonly evaluated: number;
      readonly feasible: number;
    }
  | {
      readonly kind: 'refused';
      readonly allNodes: number;
      /** By row; nodes that are not listed are refused for `otherwise`. */
      readonly refusals: ReadonlyMap<number, Refusal>;
      readonly otherwise: Refusal | undefined;
      readonly plugins: ReadonlySet<string>;
    };

/** How many feasible nodes to find before the best is chosen, as upstream: fewer per cent the larger the cluster. */
export function feasibleNodesToFind(allNodes: number): number {
  if (allNodes < FEASIBLE_MIN) return allNodes;
  const percent = Math.max(FEASIBLE_PERCENT_MIN, 50 - Math.floor(allNodes / 125));
  return Math.max(FEASIBLE_MIN, Math.floor((allNodes * percent) / 100));
}

export interface PreparedFilters {
  readonly checks: readonly Check[];
  /** Undefined: all nodes come into question. */
  readonly nodeNames: ReadonlySet<string> | undefined;
  /** The plugins that excluded the nodes outside `nodeNames`. */
  readonly restrictedBy: readonly string[];
}

export function prepareFilters(pod: PodInfo, filters: readonly FilterPlugin[], view: ClusterView): PreparedFilters {
  const checks: Check[] = [];
  const restrictedBy: string[] = [];
  let nodeNames: ReadonlySet<string> | undefined;
  for (const filter of filters) {
    const prepared = filter.prepare(pod, view);
    if (prepared.kind === 'skip') continue;
    checks.push(prepared.check);
    if (prepared.kind !== 'only') continue;
    restrictedBy.push(filter.name);
    nodeNames = nodeNames === undefined ? prepared.nodeNames : both(nodeNames, prepared.nodeNames);
  }
  return { checks, nodeNames, restrictedBy };
}

function both(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...a].filter((name) => b.has(name)));
}

export function firstRefusal(checks: readonly Check[], row: number): Refusal | undefined {
  for (const check of checks) {
    const refusal = check(row);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Places pods one at a time. It remembers where its last search ended, so that all nodes get their turn. */
export class SchedulingCycle {
  readonly #profile: Profile;
  readonly #chooseOf: (count: number) => number;
  #nextStart = 0;

  /** @param chooseOf picks one of `count` equally good nodes */
  constructor(profile: Profile, chooseOf: (count: number) => number) {
    this.#profile = profile;
    this.#chooseOf = chooseOf;
  }

  /** @param checkAt replaces the plain check of a node, for nodes with nominated pods */
  attempt(
    pod: PodInfo,
    view: ClusterView,
    checkAt?: (prepared: PreparedFilters, row: number) => Refusal | undefined,
  ): Attempt {
    const prepared = prepareFilters(pod, this.#profile.filters, view);
    const check = (row: number): Refusal | undefined =>
      checkAt === undefined ? firstRefusal(prepared.checks, row) : checkAt(prepared, row);
    const nominated = nominatedRow(pod, view, check);
    const refusals = new Map<number, Refusal>();
    const rows =
      nominated === undefined ? this.#findFeasible(prepared, view, check, refusals) : Int32Array.of(nominated);
    if (rows.length === 0) return refused(prepared, view, refusals);
    const evaluated = rows.length + refusals.size;
    const best = rows.length === 1 ? { row: rows[0] ?? -1, score: 0 } : this.#best(pod, view, rows);
    const nodeName = view.table.names[best.row] ?? '';
    return { kind: 'placed', nodeName, row: best.row, score: best.score, evaluated, feasible: rows.length };
  }

  #findFeasible(
    { nodeNames }: PreparedFilters,
    { table }: ClusterView,
    check: (row: number) => Refusal | undefined,
    refusals: Map<number, Refusal>,
  ): Int32Array {
    const all = nodeNames === undefined ? table.order : rowsOf(nodeNames, table);
    const found = new Int32Array(feasibleNodesToFind(all.length));
    let count = 0;
    let looked = 0;
    for (; looked < all.length && count < found.length; looked++) {
      const row = all[(this.#nextStart + looked) % all.length] ?? -1;
      const refusal = check(row);
      if (refusal === undefined) found[count++] = row;
      else refusals.set(row, refusal);
    }
    if (table.order.length > 0) this.#nextStart = (this.#nextStart + looked) % table.order.length;
    return found.subarray(0, count);
  }

  #best(pod: PodInfo, view: ClusterView, rows: Int32Array): { readonly row: number; readonly score: number } {
    const totals = totalScores(this.#profile.scores, pod, view, rows);
    let best = Number.NEGATIVE_INFINITY;
    let ties: number[] = [];
    for (let index = 0; index < rows.length; index++) {
      const total = totals[index] ?? 0;
      if (total < best) continue;
      if (total > best) {
        best = total;
        ties = [];
      }
      ties.push(rows[index] ?? -1);
    }
    const chosen = ties.length === 1 ? 0 : this.#chooseOf(ties.length);
    return { row: ties[chosen] ?? -1, score: best };
  }
}

/** The weighted sum of all plugins' scores for each of the rows. */
export function totalScores(
  scores: readonly WeightedScorePlugin[],
  pod: PodInfo,
  view: ClusterView,
  rows: Int32Array,
): Float64Array {
  const totals = new Float64Array(rows.length);
  const own = new Float64Array(rows.length);
  for (const { plugin, weight } of scores) {
    const scorer = plugin.prepare(pod, view, rows);
    if (scorer === undefined) continue;
    for (let index = 0; index < rows.length; index++) own[index] = scorer.score(rows[index] ?? -1);
    scorer.normalize?.(own);
    for (let index = 0; index < rows.length; index++) totals[index] = (totals[index] ?? 0) + weight * (own[index] ?? 0);
  }
  return totals;
}

/** The node that preemption made room on comes first, and alone if it fits. */
function nominatedRow(
  pod: PodInfo,
  { table }: ClusterView,
  check: (row: number) => Refusal | undefined,
): number | undefined {
  const name = pod.pod.status?.nominatedNodeName ?? '';
  const row = name === '' ? undefined : table.rowOf(name);
  return row !== undefined && check(row) === undefined ? row : undefined;
}

function rowsOf(names: ReadonlySet<string>, table: ClusterView['table']): Int32Array {
  return Int32Array.from([...names].map((name) => table.rowOf(name)).filter((row) => row !== undefined));
}

function refused(
  { nodeNames, restrictedBy }: PreparedFilters,
  { table }: ClusterView,
  refusals: ReadonlyMap<number, Refusal>,
): Attempt {
  const otherwise: Refusal | undefined =
    nodeNames === undefined
      ? undefined
      : {
          plugin: restrictedBy.join(),
          reasons: [`node(s) didn't satisfy plugin(s) [${restrictedBy.join(' ')}]`],
          resolvable: false,
        };
  const plugins = new Set([...restrictedBy, ...[...refusals.values()].map(({ plugin }) => plugin)]);
  return { kind: 'refused', allNodes: table.order.length, refusals, otherwise, plugins };
}
