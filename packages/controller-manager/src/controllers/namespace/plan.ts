import type { Namespace, NamespaceCondition } from '@wherry/api';

/** The finalizer in spec that holds a namespace until it is empty. */
export const KUBERNETES_FINALIZER = 'kubernetes';

/** What a round of emptying a namespace found. */
export interface Round {
  /** Group versions that could not be discovered. */
  readonly discoveryFailures: readonly string[];
  readonly deletionFailures: readonly string[];
  /** Objects still there, by `resource.group`. */
  readonly remaining: ReadonlyMap<string, number>;
  /** Objects still there, by finalizer. */
  readonly finalizers: ReadonlyMap<string, number>;
  /** Longest grace period of a pod that is still ending. */
  readonly graceSeconds: number;
}

export interface NamespaceStep {
  readonly kind: 'finalize' | 'wait';
  readonly afterMs: number;
  readonly conditions: readonly NamespaceCondition[] | undefined;
  readonly why: string;
}

/** Time that content without a known grace period is expected to need, as upstream estimates it. */
const ESTIMATE_SECONDS = 15;

interface Finding {
  readonly type: string;
  readonly bad: boolean;
  readonly reason: string;
  readonly message: string;
}

/** What a round means: finished, or wait and look again; and what to tell about it. */
export function planNamespace(namespace: Namespace, round: Round, now: string): NamespaceStep {
  const conditions = mergeConditions(namespace.status?.conditions ?? [], findings(round), now);
  const failed = round.discoveryFailures.length + round.deletionFailures.length > 0;
  const left = [...round.remaining.values()].reduce((sum, count) => sum + count, 0);
  if (!failed && left === 0) return { kind: 'finalize', afterMs: 0, conditions, why: 'nothing is left in it' };
  const estimate = round.graceSeconds > 0 ? round.graceSeconds : ESTIMATE_SECONDS;
  return {
    kind: 'wait',
    afterMs: failed ? 1_000 : Math.floor(estimate / 2 + 1) * 1_000,
    conditions,
    why: failed ? 'part of it could not be deleted' : `${left} objects are left`,
  };
}

function findings(round: Round): readonly Finding[] {
  const { discoveryFailures, deletionFailures } = round;
  return [
    discoveryFailures.length > 0
      ? {
          type: 'NamespaceDeletionDiscoveryFailure',
          bad: true,
          reason: 'DiscoveryFailed',
          message: `Discovery failed for some groups, ${discoveryFailures.length} failing: unable to retrieve the complete list of server APIs: ${discoveryFailures.join(', ')}`,
        }
      : {
          type: 'NamespaceDeletionDiscoveryFailure',
          bad: false,
          reason: 'ResourcesDiscovered',
          message: 'All resources successfully discovered',
        },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      bad: false,
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    deletionFailures.length > 0
      ? {
          type: 'NamespaceDeletionContentFailure',
          bad: true,
          reason: 'ContentDeletionFailed',
          message: `Failed to delete all resource types, ${deletionFailures.length} remaining: ${deletionFailures.join(', ')}`,
        }
      : {
          type: 'NamespaceDeletionContentFailure',
          bad: false,
          reason: 'ContentDeleted',
          message: 'All content successfully deleted, may be waiting on finalization',
        },
    remainingFinding(round.remaining),
    finalizersFinding(round.finalizers),
  ];
}

function remainingFinding(remaining: ReadonlyMap<string, number>): Finding {
  const type = 'NamespaceContentRemaining';
  if (remaining.size === 0) {
    return { type, bad: false, reason: 'ContentRemoved', message: 'All content successfully removed' };
  }
  const parts = [...remaining].sort().map(([resource, count]) => `${resource} has ${count} resource instances`);
  return {
    type,
    bad: true,
    reason: 'SomeResourcesRemain',
    message: `Some resources are remaining: ${parts.join(', ')}`,
  };
}

function finalizersFinding(finalizers: ReadonlyMap<string, number>): Finding {
  const type = 'NamespaceFinalizersRemaining';
  if (finalizers.size === 0) {
    const message = 'All content-preserving finalizers finished';
    return { type, bad: false, reason: 'ContentHasNoFinalizers', message };
  }
  const parts = [...finalizers].sort().map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const message = `Some content in the namespace has finalizers remaining: ${parts.join(', ')}`;
  return { type, bad: true, reason: 'SomeFinalizersRemain', message };
}

/** @returns undefined when nothing changes */
function mergeConditions(
  old: readonly NamespaceCondition[],
  found: readonly Finding[],
  now: string,
): readonly NamespaceCondition[] | undefined {
  let changed = false;
  const types = new Set(found.map(({ type }) => type));
  const merged = old.filter(({ type }) => !types.has(type));
  for (const { type, bad, reason, message } of found) {
    const current = old.find((condition) => condition.type === type);
    const status = bad ? 'True' : 'False';
    const same = current?.status === status && current.reason === reason && current.message === message;
    if (same) {
      merged.push(current);
      continue;
    }
    changed = true;
    const since = current?.status === status ? (current.lastTransitionTime ?? now) : now;
    merged.push({ type, status, reason, message, lastTransitionTime: since });
  }
  return changed ? merged : undefined;
}

/** `pods.`, `deployments.apps`: as upstream's conditions name a resource. */
export function groupResource(of: { readonly resource: string; readonly group: string }): string {
  return `${of.resource}.${of.group}`;
}
