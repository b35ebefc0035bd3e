import type { LabelSelector, LabelSelectorRequirement, Pod, PodAffinity, PodAffinityTerm, PodSpec } from '@wherry/api';
import type { StringMap } from '../../checks.ts';
import { asPrefix, dns1123Subdomain } from '../../names.ts';
import { strategyOf } from '../../plain.ts';
import type { StrategyContext } from '../../strategy.ts';
import { podColumnList, podRowConditions } from './columns.ts';
import { podQosClass } from './qos.ts';
import { checkPodStatusUpdate } from './status.ts';
import { ephemeralContainersRules, resizeRules } from './subresources.ts';
import { checkPodUpdate } from './update.ts';
import { checkNewPod } from './validation.ts';
import { podWarnings } from './warnings.ts';

export const podStrategy = strategyOf<Pod>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  prepareForCreate: prepareNewPod,
  checkCreate: checkNewPod,
  checkUpdate: checkPodUpdate,
  prepareForStatus: prepareStatus,
  checkStatus: checkPodStatusUpdate,
  subresources: { ephemeralcontainers: ephemeralContainersRules, resize: resizeRules },
  warnings: podWarnings,
  fieldSelectors: {
    'spec.nodeName': (pod) => pod.spec?.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec?.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
  columns: podColumnList,
  rowConditions: podRowConditions,
  gracefulDeletion: podGraceSeconds,
});

/** A pod nobody runs needs no time to end; one that may run gets what was asked for, at least a second. */
export function podGraceSeconds(pod: Pod, requested: number | undefined): number {
  const phase = pod.status?.phase;
  if (!pod.spec?.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}

function prepareNewPod(pod: Pod, context: StrategyContext): Pod {
  const spec = pod.spec === undefined ? undefined : withMergedLabelKeys(pod.spec, pod.metadata?.labels ?? {});
  const isGated = (spec?.schedulingGates ?? []).length > 0;
  const gated = {
    type: 'PodScheduled',
    status: 'False',
    lastTransitionTime: context.now,
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
  return {
    ...pod,
    ...(spec === undefined ? {} : { spec }),
    status: {
      phase: 'Pending',
      qosClass: podQosClass(pod),
      ...(isGated ? { conditions: [gated] } : {}),
    },
  };
}

/** Owners are not the kubelet's to change; the QoS class is filled in for pods older than the field. */
function prepareStatus(next: Pod, old: Pod): Pod {
  const qosClass = next.status?.qosClass || old.status?.qosClass || podQosClass(old);
  const { ownerReferences: _owners, ...metadata } = next.metadata ?? {};
  const owners = old.metadata?.ownerReferences;
  return {
    ...next,
    metadata: owners === undefined ? metadata : { ...metadata, ownerReferences: owners },
    status: { ...next.status, qosClass },
  };
}

/**
 * matchLabelKeys stand for "as this very pod has them": their values become part of the label selectors once, on
 * create, so that the scheduler needs no second rule (KEP-3633, KEP-3243).
 */
function withMergedLabelKeys(spec: PodSpec, labels: StringMap): PodSpec {
  const { affinity, topologySpreadConstraints } = spec;
  const usesKeys =
    topologySpreadConstraints?.some((constraint) => constraint.matchLabelKeys !== undefined) === true ||
    affinity?.podAffinity !== undefined ||
    affinity?.podAntiAffinity !== undefined;
  if (!usesKeys) return spec;
  return {
    ...spec,
    ...(topologySpreadConstraints === undefined
      ? {}
      : { topologySpreadConstraints: topologySpreadConstraints.map((each) => mergeKeys(each, labels)) }),
    ...(affinity === undefined
      ? {}
      : {
          affinity: {
            ...affinity,
            ...(affinity.podAffinity === undefined ? {} : { podAffinity: mergeAffinity(affinity.podAffinity, labels) }),
            ...(affinity.podAntiAffinity === undefined
              ? {}
              : { podAntiAffinity: mergeAffinity(affinity.podAntiAffinity, labels) }),
          },
        }),
  };
}

function mergeAffinity(affinity: PodAffinity, labels: StringMap): PodAffinity {
  const needed = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution;
  return {
    ...affinity,
    ...(needed === undefined
      ? {}
      : { requiredDuringSchedulingIgnoredDuringExecution: needed.map((term) => mergeKeys(term, labels)) }),
    ...(preferred === undefined
      ? {}
      : {
          preferredDuringSchedulingIgnoredDuringExecution: preferred.map((weighted) => ({
            ...weighted,
            podAffinityTerm: mergeKeys(weighted.podAffinityTerm, labels),
          })),
        }),
  };
}

type KeyedSelector = Pick<PodAffinityTerm, 'labelSelector' | 'matchLabelKeys' | 'mismatchLabelKeys'>;

function mergeKeys<T extends KeyedSelector>(term: T, labels: StringMap): T {
  const requirements = [
    ...requirementsOf(term.matchLabelKeys, 'In', labels),
    ...requirementsOf(term.mismatchLabelKeys, 'NotIn', labels),
  ];
  if (term.labelSelector === undefined || requirements.length === 0) return term;
  const labelSelector: LabelSelector = {
    ...term.labelSelector,
    matchExpressions: [...(term.labelSelector.matchExpressions ?? []), ...requirements],
  };
  return { ...term, labelSelector };
}

function requirementsOf(
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: StringMap,
): LabelSelectorRequirement[] {
  return (keys ?? []).flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  });
}
