import type { ContainerStatus, Job, Pod, PodFailurePolicyRule } from '@wherry/api';
import { parseIndexes } from './indexes.ts';

/** What a pod failure policy says about one failed pod. */
export type FailureVerdict =
  | { readonly action: 'Count' | 'Ignore' | 'FailIndex' }
  | { readonly action: 'FailJob'; readonly message: string };

/** The first rule that matches decides; without one the failure counts. */
export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  const rules = job.spec?.podFailurePolicy?.rules ?? [];
  for (const [index, rule] of rules.entries()) {
    const matched = matchRule(rule, pod);
    if (matched === undefined) continue;
    switch (rule.action) {
      case 'FailJob':
        return { action: 'FailJob', message: `${matched} matching FailJob rule at index ${index}` };
      case 'Ignore':
        return { action: 'Ignore' };
      case 'FailIndex':
        return { action: job.spec?.backoffLimitPerIndex === undefined ? 'Count' : 'FailIndex' };
      default:
        return { action: 'Count' };
    }
  }
  return { action: 'Count' };
}

/** @returns the beginning of the message when the rule matches */
function matchRule(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  const { namespace, name } = pod.metadata ?? {};
  if (rule.onExitCodes !== undefined) {
    const container = failedContainer(rule.onExitCodes, pod);
    if (container === undefined) return undefined;
    const exitCode = container.state?.terminated?.exitCode;
    return `Container ${container.name} for pod ${namespace}/${name} failed with exit code ${exitCode}`;
  }
  const condition = pod.status?.conditions?.find(({ type, status }) =>
    rule.onPodConditions?.some((pattern) => pattern.type === type && (pattern.status ?? 'True') === status),
  );
  return condition === undefined ? undefined : `Pod ${namespace}/${name} has condition ${condition.type}`;
}

function failedContainer(
  requirement: NonNullable<PodFailurePolicyRule['onExitCodes']>,
  pod: Pod,
): ContainerStatus | undefined {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  return statuses.find((status) => {
    const exitCode = status.state?.terminated?.exitCode;
    if (exitCode === undefined || exitCode === 0) return false;
    if (requirement.containerName !== undefined && requirement.containerName !== status.name) return false;
    return requirement.values.includes(exitCode) === (requirement.operator === 'In');
  });
}

/** The message of the success policy's first rule that is met. */
export function matchSuccessPolicy(job: Job, succeeded: ReadonlySet<number>): string | undefined {
  const completions = job.spec?.completions ?? 0;
  for (const [index, rule] of (job.spec?.successPolicy?.rules ?? []).entries()) {
    const asked = rule.succeededIndexes === undefined ? undefined : parseIndexes(rule.succeededIndexes, completions);
    const matching = asked === undefined ? succeeded.size : [...asked].filter((entry) => succeeded.has(entry)).length;
    const needed = rule.succeededCount ?? asked?.size ?? Number.POSITIVE_INFINITY;
    if (matching >= needed && needed > 0) return `Matched rules at index ${index}`;
  }
  return undefined;
}
