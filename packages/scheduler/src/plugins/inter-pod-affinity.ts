import { formatLabelFilter, type Labels } from '@wherry/api';
import {
  type Check,
  type ClusterEvent,
  type ClusterView,
  type FilterPlugin,
  labelsChanged,
  type Refusal,
  SCORE_MAX,
  type ScorePlugin,
  SKIP,
} from '../framework/plugin.ts';
import { type AffinityTerm, type PodInfo, termMatches } from '../framework/pod-info.ts';

const NAME = 'InterPodAffinity';

/** What a required affinity of a running pod towards the new one is worth as a preference; upstream's default. */
const HARD_AFFINITY_WEIGHT = 1;

const refusal = (reason: string, resolvable: boolean): Refusal => ({ plugin: NAME, reasons: [reason], resolvable });
const AFFINITY = refusal("node(s) didn't match pod affinity rules", false);
const ANTI_AFFINITY = refusal("node(s) didn't match pod anti-affinity rules", true);
const EXISTING_ANTI_AFFINITY = refusal("node(s) didn't satisfy existing pods anti-affinity rules", true);

export const interPodAffinity: FilterPlugin = {
  name: NAME,
  prepare(pod, view) {
    const checks = [affinityCheck(pod, view), antiAffinityCheck(pod, view), existingCheck(pod, view)].filter(
      (check) => check !== undefined,
    );
    if (checks.length === 0) return SKIP;
    return {
      kind: 'check',
      check(row) {
        for (const check of checks) {
          const refused = check(row);
          if (refused !== undefined) return refused;
        }
        return undefined;
      },
    };
  },
  mayHelp,
};

function mayHelp(event: ClusterEvent, pod: PodInfo): boolean {
  switch (event.kind) {
    case 'node-added':
      return true;
    case 'node-changed':
      return labelsChanged(event.node, event.previous);
    case 'pod-placed':
    case 'pod-changed':
      return pod.affinity.required.length > 0;
    case 'pod-left':
      return pod.antiAffinity.required.length > 0 || event.pod.antiAffinity.required.length > 0;
  }
}

/** Each term needs, in the node's domain, a pod that matches all terms. */
function affinityCheck(pod: PodInfo, view: ClusterView): Check | undefined {
  const terms = pod.affinity.required;
  if (terms.length === 0) return undefined;
  const labelsOf = (namespace: string): Labels | undefined => view.namespaceLabels(namespace);
  const matchesAll = (other: PodInfo): boolean => terms.every((term) => termMatches(term, other, labelsOf));
  const counts = view.table.counts.of(
    `all ${terms.map(termKey).join(';')}`,
    matchesAll,
    terms.some(usesNamespaceLabels),
  );
  const columns = terms.map((term) => view.table.topology(term.topologyKey));
  const domains = columns.map(() => new Set<number>());
  for (const row of view.table.order) {
    if ((counts[row] ?? 0) === 0) continue;
    columns.forEach((column, index) => {
      if (column.at(row) >= 0) domains[index]?.add(column.at(row));
    });
  }
  // The first pod of a group that wants to be together must not wait for itself.
  const isFirst = domains.every((domain) => domain.size === 0) && matchesAll(pod);
  return (row) => {
    for (let index = 0; index < columns.length; index++) {
      const id = columns[index]?.at(row) ?? -1;
      if (id < 0 || (!isFirst && domains[index]?.has(id) !== true)) return AFFINITY;
    }
    return undefined;
  };
}

/** No term may have a matching pod in the node's domain. */
function antiAffinityCheck(pod: PodInfo, view: ClusterView): Check | undefined {
  const terms = pod.antiAffinity.required;
  if (terms.length === 0) return undefined;
  const forbidden = terms.map((term) => {
    const column = view.table.topology(term.topologyKey);
    const counts = countsOf(term, view);
    const domain = new Set<number>();
    for (const row of view.table.order) if ((counts[row] ?? 0) > 0 && column.at(row) >= 0) domain.add(column.at(row));
    return { column, domain };
  });
  return (row) => (forbidden.some(({ column, domain }) => domain.has(column.at(row))) ? ANTI_AFFINITY : undefined);
}

/** Pods that are running already may not want the new one near them. */
function existingCheck(pod: PodInfo, view: ClusterView): Check | undefined {
  const { table } = view;
  const forbidden = new Map<string, Set<number>>();
  for (const [other, row] of table.podsWithRequiredAntiAffinity) {
    for (const term of other.antiAffinity.required) {
      const id = table.topology(term.topologyKey).at(row);
      if (id < 0 || !termMatches(term, pod, (namespace) => view.namespaceLabels(namespace))) continue;
      const domain = forbidden.get(term.topologyKey) ?? new Set();
      forbidden.set(term.topologyKey, domain.add(id));
    }
  }
  if (forbidden.size === 0) return undefined;
  const rules = [...forbidden].map(([key, domain]) => ({ column: table.topology(key), domain }));
  return (row) => (rules.some(({ column, domain }) => domain.has(column.at(row))) ? EXISTING_ANTI_AFFINITY : undefined);
}

/** Preferences of the pod towards others, and of others towards it. */
export const interPodAffinityScore: ScorePlugin = {
  name: NAME,
  prepare(pod, view, _rows) {
    const weights = new Weights(view);
    for (const term of pod.affinity.preferred) weights.addAll(term, countsOf(term, view), term.weight);
    for (const term of pod.antiAffinity.preferred) weights.addAll(term, countsOf(term, view), -term.weight);
    for (const [other, row] of view.table.podsWithAffinity) {
      for (const term of other.affinity.required) weights.addOne(term, pod, row, HARD_AFFINITY_WEIGHT);
      for (const term of other.affinity.preferred) weights.addOne(term, pod, row, term.weight);
      for (const term of other.antiAffinity.preferred) weights.addOne(term, pod, row, -term.weight);
    }
    if (weights.isEmpty) return undefined;
    return { score: (row) => weights.at(row), normalize };
  },
};

class Weights {
  readonly #view: ClusterView;
  readonly #byKey = new Map<string, Map<number, number>>();

  constructor(view: ClusterView) {
    this.#view = view;
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  addAll(term: AffinityTerm, counts: Int32Array, weight: number): void {
    for (const row of this.#view.table.order) {
      const count = counts[row] ?? 0;
      if (count > 0) this.#add(term.topologyKey, row, count * weight);
    }
  }

  addOne(term: AffinityTerm, pod: PodInfo, row: number, weight: number): void {
    if (termMatches(term, pod, (namespace) => this.#view.namespaceLabels(namespace))) {
      this.#add(term.topologyKey, row, weight);
    }
  }

  at(row: number): number {
    let sum = 0;
    for (const [key, weights] of this.#byKey) sum += weights.get(this.#view.table.topology(key).at(row)) ?? 0;
    return sum;
  }

  #add(key: string, row: number, weight: number): void {
    const id = this.#view.table.topology(key).at(row);
    if (id < 0) return;
    const weights = this.#byKey.get(key) ?? new Map<number, number>();
    weights.set(id, (weights.get(id) ?? 0) + weight);
    this.#byKey.set(key, weights);
  }
}

function normalize(scores: Float64Array): void {
  let most = Number.NEGATIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  for (const score of scores) {
    most = Math.max(most, score);
    least = Math.min(least, score);
  }
  const spread = most - least;
  for (let index = 0; index < scores.length; index++) {
    scores[index] = spread > 0 ? Math.floor((SCORE_MAX * ((scores[index] ?? 0) - least)) / spread) : 0;
  }
}

function countsOf(term: AffinityTerm, view: ClusterView): Int32Array {
  const matches = (other: PodInfo): boolean => termMatches(term, other, (namespace) => view.namespaceLabels(namespace));
  return view.table.counts.of(`term ${termKey(term)}`, matches, usesNamespaceLabels(term));
}

function usesNamespaceLabels(term: AffinityTerm): boolean {
  return term.namespaceFilter !== undefined;
}

/** Says which pods the term matches. */
function termKey(term: AffinityTerm): string {
  const namespaceFilter = term.namespaceFilter === undefined ? '' : ` in ${formatLabelFilter(term.namespaceFilter)}`;
  const pods = term.filter.nothing ? 'nothing' : formatLabelFilter(term.filter);
  return `${[...term.namespaces].sort().join()}${namespaceFilter} / ${pods}`;
}
