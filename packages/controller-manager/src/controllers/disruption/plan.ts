import {
  type Condition,
  isPodReady,
  isPodTerminal,
  labelSelectorMatches,
  type Pod,
  type PodDisruptionBudget,
  type PodDisruptionBudgetStatus,
  scaledValue,
} from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';
import { canonicalJson } from '../../pods/template-hash.ts';

/** An eviction that was granted counts as under way for so long, even if the pod does not go. */
const EVICTION_MS_MAX = 2 * 60_000;

export interface DisruptionInput {
  readonly budget: PodDisruptionBudget;
  /** Those its selector matches. */
  readonly pods: readonly Pod[];
  /** Replicas wanted by the owner of a pod: undefined when it has no owner that can be scaled. */
  readonly scaleOf: (pod: Pod) => { readonly owner: string; readonly replicas: number } | undefined;
  readonly nowMs: number;
  readonly now: string;
}

export interface DisruptionPlan {
  readonly status: PodDisruptionBudgetStatus | undefined;
  /** Pods without a scalable owner, whose number nobody promises. */
  readonly unmanaged: readonly Pod[];
  /** When a granted eviction stops counting. */
  readonly requeueAfterMs: number | undefined;
}

/** Pods of the namespace that the budget protects; an empty selector protects all. */
export function protectedPods(budget: PodDisruptionBudget, pods: readonly Pod[]): readonly Pod[] {
  const selector = budget.spec?.selector;
  if (selector === undefined) return [];
  return pods.filter((pod) => labelSelectorMatches(selector, pod.metadata?.labels) && !isPodTerminal(pod));
}

export function planDisruption(input: DisruptionInput): DisruptionPlan {
  const { budget, pods } = input;
  const { disruptedPods, requeueAfterMs } = underWay(input);
  const healthy = pods.filter(
    (pod) => isPodReady(pod) && pod.metadata?.deletionTimestamp === undefined && !(podName(pod) in disruptedPods),
  ).length;
  const { expected, desired, unmanaged } = expectations(input);
  const disruptionsAllowed = expected === 0 ? 0 : Math.max(0, healthy - desired);
  const status: PodDisruptionBudgetStatus = {
    observedGeneration: budget.metadata?.generation ?? 0,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    disruptionsAllowed,
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
    conditions: withAllowed(budget.status?.conditions ?? [], disruptionsAllowed > 0, input),
  };
  const same = canonicalJson(status) === canonicalJson(budget.status ?? {});
  return { status: same ? undefined : status, unmanaged, requeueAfterMs };
}

/** The status of a budget that cannot be worked out: it allows nothing. */
export function failSafe(budget: PodDisruptionBudget, message: string, now: string): PodDisruptionBudgetStatus {
  const { conditions = [], ...status } = budget.status ?? {
    currentHealthy: 0,
    desiredHealthy: 0,
    disruptionsAllowed: 0,
    expectedPods: 0,
  };
  const condition: Condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'SyncFailed',
    message,
    lastTransitionTime: now,
    observedGeneration: budget.metadata?.generation ?? 0,
  };
  const others = conditions.filter(({ type }) => type !== 'DisruptionAllowed');
  return { ...status, disruptionsAllowed: 0, conditions: [...others, condition] };
}

const podName = (pod: Pod): string => pod.metadata?.name ?? '';

/** Evictions granted by the API server whose pods have not begun to go. */
function underWay({ budget, pods, nowMs }: DisruptionInput): {
  readonly disruptedPods: Readonly<Record<string, string>>;
  readonly requeueAfterMs: number | undefined;
} {
  const waiting = new Map(
    pods.filter((pod) => pod.metadata?.deletionTimestamp === undefined).map((pod) => [podName(pod), pod]),
  );
  const left: Record<string, string> = {};
  let requeueAfterMs: number | undefined;
  for (const [name, grantedAt] of Object.entries(budget.status?.disruptedPods ?? {})) {
    const leftMs = (timeMs(grantedAt) ?? 0) + EVICTION_MS_MAX - nowMs;
    if (!waiting.has(name) || leftMs <= 0) continue;
    left[name] = grantedAt;
    requeueAfterMs = Math.min(requeueAfterMs ?? leftMs, leftMs);
  }
  return { disruptedPods: left, requeueAfterMs };
}

function expectations(input: DisruptionInput): {
  readonly expected: number;
  readonly desired: number;
  readonly unmanaged: readonly Pod[];
} {
  const { minAvailable, maxUnavailable } = input.budget.spec ?? {};
  if (maxUnavailable !== undefined) {
    const { expected, unmanaged } = expectedScale(input);
    const unavailable = scaledValue(maxUnavailable, expected, 'up') ?? 0;
    return { expected, desired: Math.max(0, expected - unavailable), unmanaged };
  }
  if (typeof minAvailable === 'string') {
    const { expected, unmanaged } = expectedScale(input);
    return { expected, desired: scaledValue(minAvailable, expected, 'up') ?? expected, unmanaged };
  }
  return { expected: input.pods.length, desired: minAvailable ?? 1, unmanaged: [] };
}

/** What the pods' owners want, each owner counted once. */
function expectedScale({ pods, scaleOf }: DisruptionInput): {
  readonly expected: number;
  readonly unmanaged: readonly Pod[];
} {
  const owners = new Map<string, number>();
  const unmanaged: Pod[] = [];
  for (const pod of pods) {
    const scale = scaleOf(pod);
    if (scale === undefined) unmanaged.push(pod);
    else owners.set(scale.owner, scale.replicas);
  }
  return { expected: [...owners.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged };
}

function withAllowed(
  conditions: readonly Condition[],
  allowed: boolean,
  { budget, now }: DisruptionInput,
): readonly Condition[] {
  const status = allowed ? 'True' : 'False';
  const current = conditions.find(({ type }) => type === 'DisruptionAllowed');
  const next: Condition = {
    type: 'DisruptionAllowed',
    status,
    reason: allowed ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    lastTransitionTime: current?.status === status ? current.lastTransitionTime : now,
    observedGeneration: budget.metadata?.generation ?? 0,
  };
  return [...conditions.filter(({ type }) => type !== 'DisruptionAllowed'), next];
}
