import {
  type Eviction,
  facts,
  internalError,
  isConflict,
  labelSelectorMatches,
  type Pod,
  type PodDisruptionBudget,
  resources,
  tooManyRequests,
} from '@wherry/api';
import { rfc3339 } from '@wherry/daemon';
import type { ApiResponse } from '../../http/exchange.ts';
import { success, valueResponse } from '../../http/respond.ts';
import type { StoredRequest } from '../context.ts';
import { readObject } from '../decode.ts';
import { type Deletion, removeObject } from '../delete.ts';
import { parseWriteOptions } from '../options.ts';
import type { StoredKind } from '../served-kind.ts';

/** Evictions a budget may have let through that its controller has not seen yet. */
const DISRUPTED_PODS_MAX = 2_000;

/** POST of `pods/<name>/eviction`: a delete that PodDisruptionBudgets may refuse. */
export async function evict(from: StoredRequest, budgets: StoredKind): Promise<ApiResponse> {
  const options = parseWriteOptions(from.query, 'CreateOptions');
  const node = facts.ofKind('policy', 'v1', 'Eviction');
  if (node === undefined) {
    throw new Error('No facts about Eviction');
  }
  const expected = { group: 'policy', version: 'v1', kind: 'Eviction', node };
  const body = await readObject(from.request, expected, options.fieldValidation);
  const eviction = body.object as Eviction;
  const deletion: Deletion = {
    gracePeriodSeconds: eviction.deleteOptions?.gracePeriodSeconds,
    propagation: undefined,
    uid: eviction.deleteOptions?.preconditions?.uid,
    resourceVersion: eviction.deleteOptions?.preconditions?.resourceVersion,
    dryRun: options.dryRun || (eviction.deleteOptions?.dryRun ?? []).length > 0,
  };
  const { registry, stored, info } = from;
  const entry = await registry.store.current(stored, info.namespace, info.name);
  const pod = entry?.object() as Pod | undefined;
  await registry.admission.admit(
    {
      operation: 'CREATE',
      stored,
      subresource: 'eviction',
      namespace: info.namespace,
      name: info.name,
      object: eviction,
      old: pod,
      user: from.user,
      dryRun: deletion.dryRun,
      warnings: from.warnings,
    },
    eviction,
  );
  if (pod !== undefined && !mayGoFreely(pod)) {
    await spendBudget(from, budgets, pod, deletion.dryRun);
  }
  await removeObject(from, info.namespace, info.name, deletion);
  return valueResponse(201, success(), from.how);
}

/** Pods that serve nobody any more, or not yet, count for no budget. */
function mayGoFreely(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return (
    phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata?.deletionTimestamp !== undefined
  );
}

async function spendBudget(from: StoredRequest, budgets: StoredKind, pod: Pod, dryRun: boolean): Promise<void> {
  const { registry, info } = from;
  const matching: PodDisruptionBudget[] = [];
  for (const budget of registry.reader.all(resources.poddisruptionbudgets, info.namespace)) {
    if (labelSelectorMatches(budget.spec?.selector, pod.metadata?.labels)) {
      matching.push(budget);
    }
  }
  const budget = matching[0];
  if (budget === undefined) {
    return;
  }
  if (matching.length > 1) {
    throw internalError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  const ready = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  if (!ready && mayEvictUnready(budget)) {
    return;
  }
  const name = budget.metadata?.name ?? '';
  try {
    await registry.store.update(budgets, info.namespace, name, { dryRun }, (current) => ({
      kind: 'write',
      object: spent(current.object() as PodDisruptionBudget, info.name, rfc3339(registry.clock.now())),
    }));
  } catch (error) {
    throw isConflict(error) ? tooManyRequests('Too many concurrent evictions of pods of one budget', 1) : error;
  }
}

function mayEvictUnready(budget: PodDisruptionBudget): boolean {
  return (
    budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow' ||
    (budget.status !== undefined &&
      budget.status.currentHealthy >= budget.status.desiredHealthy &&
      budget.status.desiredHealthy > 0)
  );
}

/** The budget with one disruption less. @throws StatusError TooManyRequests when there is none left */
function spent(budget: PodDisruptionBudget, podName: string, now: string): PodDisruptionBudget {
  const name = budget.metadata?.name ?? '';
  const { status } = budget;
  const refuse = (message: string) =>
    tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 0, [
      { reason: 'DisruptionBudget', message },
    ]);
  if (status === undefined || (status.observedGeneration ?? 0) < (budget.metadata?.generation ?? 0)) {
    throw refuse(`The disruption budget ${name} is still being processed by the server.`);
  }
  if (status.disruptionsAllowed <= 0) {
    throw refuse(
      `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`,
    );
  }
  if (Object.keys(status.disruptedPods ?? {}).length >= DISRUPTED_PODS_MAX) {
    throw refuse('DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  return {
    ...budget,
    status: {
      ...status,
      disruptionsAllowed: status.disruptionsAllowed - 1,
      disruptedPods: { ...status.disruptedPods, [podName]: now },
    },
  };
}
