import { getCondition, type LabelFilter, labelsMatch } from '@wherry/api';
import { type Attempt, firstRefusal, prepareFilters } from './cycle.ts';
import { histogram } from './fit-error.ts';
import type { ClusterView, FilterPlugin, Refusal } from './plugin.ts';
import type { PodInfo } from './pod-info.ts';

/** Nodes on which an eviction is tried out, upstream's defaults: a tenth of all, but at least this many. */
const CANDIDATES_MIN = 100;
const CANDIDATES_PERCENT = 10;

const NO_VICTIMS = 'No preemption victims found for incoming pod';
const NOT_HELPFUL = 'Preemption is not helpful for scheduling';
/** Upstream's plugin for dynamic resources has its say first; it never has claims to give up for such pods. */
const CLAIMS = 'no new claims to deallocate';

/** A PodDisruptionBudget, as far as evictions touch it. */
export interface Budget {
  readonly namespace: string;
  readonly filter: LabelFilter;
  readonly disruptionsAllowed: number;
  /** Pods whose disruption it has counted already, by name. */
  readonly disrupted: ReadonlySet<string>;
}

export type Preemption =
  | {
      readonly kind: 'evict';
      readonly nodeName: string;
      /** Most important first. */
      readonly victims: readonly PodInfo[];
      readonly brokenBudgets: number;
    }
  | { readonly kind: 'none'; readonly message: string; readonly isEligible: boolean };

interface Candidate {
  readonly row: number;
  readonly victims: readonly PodInfo[];
  readonly brokenBudgets: number;
}

export interface PreemptionRequest {
  readonly pod: PodInfo;
  readonly refused: Extract<Attempt, { kind: 'refused' }>;
  readonly view: ClusterView;
  readonly filters: readonly FilterPlugin[];
  readonly budgets: readonly Budget[];
  /** Where among `count` nodes the search begins. */
  readonly startOf: (count: number) => number;
}

/** Which pods of lesser priority have to go, and where, so that the pod fits: the fewest and least important ones. */
export function planPreemption(request: PreemptionRequest): Preemption {
  const ineligible = whyIneligible(request);
  if (ineligible !== undefined)
    return { kind: 'none', isEligible: false, message: `${CLAIMS}, preemption: ${ineligible}` };
  const { refused, view } = request;
  const rows = [...refused.refusals].filter(([, refusal]) => refusal.resolvable).map(([row]) => row);
  const counts = new Map<string, number>();
  const count = (reason: string, nodes = 1): void => {
    if (nodes > 0) counts.set(reason, (counts.get(reason) ?? 0) + nodes);
  };
  count(NOT_HELPFUL, refused.allNodes - rows.length);
  const wanted = Math.max(CANDIDATES_MIN, Math.floor((refused.allNodes * CANDIDATES_PERCENT) / 100));
  const candidates: Candidate[] = [];
  const start = rows.length === 0 ? 0 : request.startOf(rows.length);
  for (let index = 0; index < rows.length; index++) {
    // Enough to choose from, unless each of them breaks a budget.
    if (candidates.length >= wanted && candidates.some(({ brokenBudgets }) => brokenBudgets === 0)) break;
    const tried = tryNode(request, rows[(start + index) % rows.length] ?? -1);
    if ('victims' in tried) candidates.push(tried);
    else for (const reason of tried.reasons) count(reason);
  }
  const best = candidates.reduce<Candidate | undefined>(
    (chosen, next) => (chosen === undefined || isBetter(next, chosen) ? next : chosen),
    undefined,
  );
  if (best === undefined) {
    const nodes = `preemption: 0/${refused.allNodes} nodes are available: ${histogram(counts)}.`;
    return { kind: 'none', isEligible: true, message: `${CLAIMS}, ${nodes}` };
  }
  const { row, victims, brokenBudgets } = best;
  return { kind: 'evict', nodeName: view.table.names[row] ?? '', victims, brokenBudgets };
}

function whyIneligible({ pod, refused, view }: PreemptionRequest): string | undefined {
  if (pod.pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = pod.pod.status?.nominatedNodeName ?? '';
  const row = nominated === '' ? undefined : view.table.rowOf(nominated);
  if (row === undefined || refused.refusals.get(row)?.resolvable === false) return undefined;
  for (const other of view.table.pods[row]?.values() ?? []) {
    if (other.priority < pod.priority && other.terminating && isPreempted(other)) {
      return 'not eligible due to a terminating pod on the nominated node.';
    }
  }
  return undefined;
}

function isPreempted({ pod }: PodInfo): boolean {
  const condition = getCondition(pod.status?.conditions, 'DisruptionTarget');
  return condition?.status === 'True' && condition.reason === 'PreemptionByScheduler';
}

/** Tries on the table what would happen without lesser pods, and leaves it as it was. */
function tryNode(request: PreemptionRequest, row: number): Candidate | { readonly reasons: readonly string[] } {
  const { pod, view, filters, budgets } = request;
  const { table } = view;
  const name = table.names[row] ?? '';
  const lesser = [...(table.pods[row]?.values() ?? [])].filter(({ priority }) => priority < pod.priority);
  if (lesser.length === 0) return { reasons: [NO_VICTIMS] };
  const check = (): Refusal | undefined => firstRefusal(prepareFilters(pod, filters, view).checks, row);
  for (const victim of lesser) table.removePod(victim.key, name);
  const gone = new Set(lesser);
  try {
    const refusal = check();
    if (refusal !== undefined) return { reasons: refusal.reasons };
    lesser.sort(moreImportantFirst);
    const { breaking, harmless } = splitByBudgets(lesser, budgets);
    // Whoever can stay stays, pods that are protected by a budget first.
    for (const victim of [...breaking, ...harmless]) {
      table.addPod(victim, name);
      gone.delete(victim);
      if (check() === undefined) continue;
      table.removePod(victim.key, name);
      gone.add(victim);
    }
    const brokenBudgets = breaking.filter((victim) => gone.has(victim)).length;
    return { row, victims: lesser.filter((victim) => gone.has(victim)), brokenBudgets };
  } finally {
    for (const victim of gone) table.addPod(victim, name);
  }
}

/** Each eviction uses up one disruption of every budget that covers the pod. */
function splitByBudgets(
  pods: readonly PodInfo[],
  budgets: readonly Budget[],
): { readonly breaking: readonly PodInfo[]; readonly harmless: readonly PodInfo[] } {
  const left = budgets.map(({ disruptionsAllowed }) => disruptionsAllowed);
  const breaking = new Set<PodInfo>();
  for (const pod of pods) {
    budgets.forEach((budget, index) => {
      const covers = budget.namespace === pod.namespace && labelsMatch(budget.filter, pod.labels);
      if (!covers || budget.disrupted.has(pod.pod.metadata?.name ?? '')) return;
      left[index] = (left[index] ?? 0) - 1;
      if ((left[index] ?? 0) < 0) breaking.add(pod);
    });
  }
  return { breaking: [...breaking], harmless: pods.filter((pod) => !breaking.has(pod)) };
}

/** Upstream's order of choice: budgets, then the highest priority lost, their sum, their number, the youngest. */
function isBetter(a: Candidate, b: Candidate): boolean {
  const first = ({ victims }: Candidate): number => victims[0]?.priority ?? Number.NEGATIVE_INFINITY;
  // Shifted to be positive, so that many unimportant pods weigh more than few.
  const sum = ({ victims }: Candidate): number =>
    victims.reduce((total, { priority }) => total + priority + 2 ** 31, 0);
  const differences = [
    a.brokenBudgets - b.brokenBudgets,
    first(a) - first(b),
    sum(a) - sum(b),
    a.victims.length - b.victims.length,
    earliestStart(b) - earliestStart(a),
  ];
  return (differences.find((difference) => difference !== 0) ?? 0) < 0;
}

/** When the oldest of the most important victims began to run. */
function earliestStart({ victims }: Candidate): number {
  const highest = victims[0]?.priority;
  return Math.min(...victims.filter(({ priority }) => priority === highest).map(startOf));
}

function moreImportantFirst(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || startOf(a) - startOf(b);
}

function startOf({ pod }: PodInfo): number {
  const start = pod.status?.startTime;
  // One that has not started is the youngest of all; any finite number beyond all dates will do.
  return start === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(start);
}
