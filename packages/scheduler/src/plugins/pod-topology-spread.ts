import {
  compileLabelSelector,
  formatLabelFilter,
  type LabelFilter,
  labelFilterOf,
  labelsMatch,
  nodeSuitsPod,
  type TopologySpreadConstraint,
  untoleratedTaint,
} from '@wherry/api';
import {
  type ClusterView,
  type FilterPlugin,
  labelsChanged,
  type Refusal,
  SCORE_MAX,
  type ScorePlugin,
  SKIP,
} from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import type { TopologyColumn } from '../framework/topology-column.ts';

const NAME = 'PodTopologySpread';
const HOSTNAME = 'kubernetes.io/hostname';

const TOO_SKEWED: Refusal = {
  plugin: NAME,
  reasons: ["node(s) didn't match pod topology spread constraints"],
  resolvable: true,
};
const NO_LABEL: Refusal = {
  plugin: NAME,
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
  resolvable: false,
};

/** What upstream applies to pods that say nothing about spreading themselves. */
const CLUSTER_DEFAULTS: readonly TopologySpreadConstraint[] = [
  { maxSkew: 3, topologyKey: HOSTNAME, whenUnsatisfiable: 'ScheduleAnyway' },
  { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
];

interface Constraint {
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly topologyKey: string;
  readonly filter: LabelFilter;
  readonly column: TopologyColumn;
  /** Matching pods by row, live. */
  readonly counts: Int32Array;
  /** Whether the pods of a node count and the node is a domain at all. */
  readonly includes: (row: number) => boolean;
}

/** Constraints that must hold (DoNotSchedule). */
export const podTopologySpread: FilterPlugin = {
  name: NAME,
  prepare(pod, view) {
    const own = pod.pod.spec?.topologySpreadConstraints?.filter(
      ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
    );
    if (own === undefined || own.length === 0) return SKIP;
    const constraints = own.map((constraint) => compile(constraint, pod, view, filterOf(constraint, pod)));
    const rows = view.table.order.filter((row) => constraints.every(({ column }) => column.at(row) >= 0));
    const domains = constraints.map((constraint) => {
      const counts = new Map<number, number>();
      for (const row of rows) {
        if (!constraint.includes(row)) continue;
        const id = constraint.column.at(row);
        counts.set(id, (counts.get(id) ?? 0) + (constraint.counts[row] ?? 0));
      }
      const fewest = counts.size < constraint.minDomains ? 0 : Math.min(...counts.values());
      const self = labelsMatch(constraint.filter, pod.labels) ? 1 : 0;
      return { constraint, counts, limit: constraint.maxSkew + fewest - self };
    });
    return {
      kind: 'check',
      check(row) {
        for (const { constraint, counts, limit } of domains) {
          const id = constraint.column.at(row);
          if (id < 0) return NO_LABEL;
          if ((counts.get(id) ?? 0) > limit) return TOO_SKEWED;
        }
        return undefined;
      },
    };
  },
  mayHelp(event, pod) {
    switch (event.kind) {
      case 'node-added':
        return true;
      case 'node-changed':
        return labelsChanged(event.node, event.previous);
      default:
        return event.pod.namespace === pod.namespace;
    }
  },
};

/** Constraints that should hold (ScheduleAnyway); the cluster's defaults for pods of a workload without any. */
export const podTopologySpreadScore: ScorePlugin = {
  name: NAME,
  prepare(pod, view, rows) {
    const own = pod.pod.spec?.topologySpreadConstraints ?? [];
    const constraints = own.length > 0 ? softConstraints(own, pod, view) : defaultConstraints(pod, view);
    if (constraints.length === 0) return undefined;
    // Own constraints mean nothing on nodes without all their labels; the defaults use what labels there are.
    const isIgnored = (row: number): boolean => own.length > 0 && constraints.some(({ column }) => column.at(row) < 0);
    const candidates = rows.filter((row) => !isIgnored(row));
    const parts = constraints.map((constraint) => domainScores(constraint, candidates, view, isIgnored));
    const score = (row: number): number => {
      if (isIgnored(row)) return -1;
      let sum = 0;
      for (const part of parts) sum += part(row);
      return Math.round(sum);
    };
    return { score, normalize };
  },
};

function softConstraints(
  own: readonly TopologySpreadConstraint[],
  pod: PodInfo,
  view: ClusterView,
): readonly Constraint[] {
  return own
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'ScheduleAnyway')
    .map((constraint) => compile(constraint, pod, view, filterOf(constraint, pod)));
}

function defaultConstraints(pod: PodInfo, view: ClusterView): readonly Constraint[] {
  const selector = view.workloadSelector(pod);
  return selector === undefined ? [] : CLUSTER_DEFAULTS.map((constraint) => compile(constraint, pod, view, selector));
}

/** The weight of one constraint at a node: pods of the workload in its domain, scaled so that few domains count as much as many. */
function domainScores(
  constraint: Constraint,
  candidates: Int32Array,
  view: ClusterView,
  isIgnored: (row: number) => boolean,
): (row: number) => number {
  const { column, counts, maxSkew, includes } = constraint;
  if (constraint.topologyKey === HOSTNAME) {
    const weight = Math.log(candidates.length + 2);
    return (row) => (column.at(row) < 0 ? 0 : (counts[row] ?? 0) * weight + maxSkew - 1);
  }
  const sums = new Map<number, number>();
  for (const row of candidates) sums.set(column.at(row), 0);
  const weight = Math.log(sums.size + 2);
  // No candidate has the label: there are no domains to tell apart.
  if (sums.size === 1 && sums.has(-1)) return () => 0;
  for (const row of view.table.order) {
    const sum = sums.get(column.at(row));
    if (sum !== undefined && !isIgnored(row) && includes(row)) sums.set(column.at(row), sum + (counts[row] ?? 0));
  }
  return (row) => (column.at(row) < 0 ? 0 : (sums.get(column.at(row)) ?? 0) * weight + maxSkew - 1);
}

/** Fewer pods become the higher score; ignored nodes (-1) get nothing. */
function normalize(scores: Float64Array): void {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const score of scores) {
    if (score < 0) continue;
    least = Math.min(least, score);
    most = Math.max(most, score);
  }
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index] ?? 0;
    if (score < 0) scores[index] = 0;
    else scores[index] = most === 0 ? SCORE_MAX : Math.floor((SCORE_MAX * (most + least - score)) / most);
  }
}

function compile(
  constraint: TopologySpreadConstraint,
  pod: PodInfo,
  view: ClusterView,
  filter: LabelFilter,
): Constraint {
  const { table } = view;
  const { namespace } = pod;
  const key = `spread ${namespace} ${filter.nothing ? 'nothing' : formatLabelFilter(filter)}`;
  const counts = table.counts.of(
    key,
    (other) => other.namespace === namespace && !other.terminating && labelsMatch(filter, other.labels),
  );
  const honorAffinity = (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor' && restrictsNodes(pod);
  const honorTaints = constraint.nodeTaintsPolicy === 'Honor';
  return {
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    topologyKey: constraint.topologyKey,
    filter,
    column: table.topology(constraint.topologyKey),
    counts,
    includes(row) {
      const node = table.nodes[row];
      if (node === undefined) return false;
      if (honorAffinity && !nodeSuitsPod(pod.pod, node)) return false;
      return (
        !honorTaints || untoleratedTaint(node.spec?.taints, pod.tolerations, ['NoSchedule', 'NoExecute']) === undefined
      );
    },
  };
}

function restrictsNodes(pod: PodInfo): boolean {
  const { nodeSelector, affinity } = pod.pod.spec ?? {};
  return (
    nodeSelector !== undefined || affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined
  );
}

/** The constraint's selector narrowed to pods that share the values of its matchLabelKeys with this one. */
function filterOf(constraint: TopologySpreadConstraint, pod: PodInfo): LabelFilter {
  const filter = compileLabelSelector(constraint.labelSelector);
  const shared: Record<string, string> = {};
  for (const key of constraint.matchLabelKeys ?? []) {
    const value = pod.labels?.[key];
    if (value !== undefined) shared[key] = value;
  }
  if (Object.keys(shared).length === 0) return filter;
  return { nothing: filter.nothing, requirements: [...filter.requirements, ...labelFilterOf(shared).requirements] };
}
