import {
  type Node,
  nodeSuitsPod,
  type Pod,
  type PodTemplateSpec,
  type Toleration,
  untoleratedTaint,
} from '@wherry/api';

/** Taints that daemons live with: they are what makes a node work, so its troubles do not drive them away. */
const TOLERATED: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];
const HOST_NETWORK_TOLERATED: Toleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
};

export function daemonTolerations(template: PodTemplateSpec): readonly Toleration[] {
  const own = template.spec?.tolerations ?? [];
  const added = template.spec?.hostNetwork === true ? [...TOLERATED, HOST_NETWORK_TOLERATED] : TOLERATED;
  const isNew = (toleration: Toleration) =>
    !own.some(
      (entry) =>
        entry.key === toleration.key &&
        entry.effect === toleration.effect &&
        entry.operator === toleration.operator &&
        (entry.value ?? '') === (toleration.value ?? ''),
    );
  return [...own, ...added.filter(isNew)];
}

export interface Placement {
  /** A daemon is to be started there. */
  readonly runs: boolean;
  /** One that is there may stay. */
  readonly stays: boolean;
}

/** Whether a node wants the daemon: by name, selector and affinity, and by its taints. */
export function place(template: PodTemplateSpec, node: Node): Placement {
  const spec = {
    ...template.spec,
    containers: template.spec?.containers ?? [],
    tolerations: daemonTolerations(template),
  };
  const wantedNode = template.spec?.nodeName;
  if (wantedNode !== undefined && wantedNode !== '' && wantedNode !== node.metadata?.name) {
    return { runs: false, stays: false };
  }
  if (!nodeSuitsPod({ spec }, node)) return { runs: false, stays: false };
  const { taints } = node.spec ?? {};
  const stays = untoleratedTaint(taints, spec.tolerations, ['NoExecute']) === undefined;
  return { runs: stays && untoleratedTaint(taints, spec.tolerations, ['NoSchedule']) === undefined, stays };
}

/** The node a daemon's pod is on or meant for: until it is bound, its affinity says which. */
export function targetNode(pod: Pod): string | undefined {
  if (pod.spec?.nodeName !== undefined && pod.spec.nodeName !== '') return pod.spec.nodeName;
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  for (const { matchFields } of terms ?? []) {
    for (const { key, operator, values } of matchFields ?? []) {
      if (key === 'metadata.name' && operator === 'In' && values?.length === 1) return values[0];
    }
  }
  return undefined;
}
