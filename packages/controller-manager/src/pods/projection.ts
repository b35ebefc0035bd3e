import type { Affinity, Container, ContainerStatus, Pod, PodAffinity, PodSpec, PodStatus, Volume } from '@wherry/api';

/** Annotations that controllers read; the rest may be large and is not kept. */
const KEPT_ANNOTATIONS: readonly string[] = [
  'controller.kubernetes.io/pod-deletion-cost',
  'batch.kubernetes.io/job-completion-index',
  'batch.kubernetes.io/job-index-failure-count',
  'batch.kubernetes.io/job-index-ignored-failure-count',
];

/** What controllers read of a pod: about a fifth of it. */
export function projectPod(pod: Pod): Pod {
  return {
    ...(pod.metadata !== undefined && { metadata: projectMetadata(pod.metadata) }),
    ...(pod.spec !== undefined && { spec: projectSpec(pod.spec) }),
    ...(pod.status !== undefined && { status: projectStatus(pod.status) }),
  };
}

function projectMetadata(metadata: NonNullable<Pod['metadata']>): NonNullable<Pod['metadata']> {
  const { annotations, generateName: _, ...rest } = metadata;
  if (annotations === undefined) return rest;
  const kept = KEPT_ANNOTATIONS.filter((key) => annotations[key] !== undefined);
  if (kept.length === 0) return rest;
  return { ...rest, annotations: Object.fromEntries(kept.map((key) => [key, annotations[key] ?? ''])) };
}

function projectSpec(spec: PodSpec): PodSpec {
  const { nodeName, restartPolicy, tolerations, hostname, subdomain, initContainers, volumes } = spec;
  return {
    containers: spec.containers.map(projectContainer),
    ...(initContainers !== undefined && { initContainers: initContainers.map(projectContainer) }),
    ...(nodeName !== undefined && { nodeName }),
    ...(restartPolicy !== undefined && { restartPolicy }),
    ...(tolerations !== undefined && { tolerations }),
    ...(hostname !== undefined && { hostname }),
    ...(subdomain !== undefined && { subdomain }),
    ...(spec.hostNetwork === true && { hostNetwork: true }),
    ...(spec.affinity !== undefined && { affinity: projectAffinity(spec.affinity) }),
    ...(volumes !== undefined && { volumes: volumes.flatMap(projectVolume) }),
    ...projectQuotaFacts(spec),
  };
}

/** What quotas measure beside containers. */
function projectQuotaFacts({
  resources,
  overhead,
  activeDeadlineSeconds,
  priorityClassName,
}: PodSpec): Partial<PodSpec> {
  return {
    ...(resources !== undefined && { resources }),
    ...(overhead !== undefined && { overhead }),
    ...(activeDeadlineSeconds !== undefined && { activeDeadlineSeconds }),
    ...(priorityClassName !== undefined && { priorityClassName }),
  };
}

function projectVolume({ name, persistentVolumeClaim, ephemeral }: Volume): readonly Volume[] {
  if (persistentVolumeClaim !== undefined) return [{ name, persistentVolumeClaim }];
  return ephemeral === undefined ? [] : [{ name, ephemeral: {} }];
}

/** Of affinity between pods only what reaches into other namespaces, which quotas can forbid. */
function projectAffinity({ nodeAffinity, podAffinity, podAntiAffinity }: Affinity): Affinity {
  return {
    ...(nodeAffinity !== undefined && { nodeAffinity }),
    ...(podAffinity !== undefined && { podAffinity: projectPodAffinity(podAffinity) }),
    ...(podAntiAffinity !== undefined && { podAntiAffinity: projectPodAffinity(podAntiAffinity) }),
  };
}

function projectPodAffinity(affinity: PodAffinity): PodAffinity {
  const terms = [
    ...(affinity.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ].filter(({ namespaces, namespaceSelector }) => (namespaces ?? []).length > 0 || namespaceSelector !== undefined);
  return terms.length === 0 ? {} : { requiredDuringSchedulingIgnoredDuringExecution: terms };
}

function projectContainer({ name, ports, restartPolicy, resources }: Container): Container {
  return {
    name,
    ...(ports !== undefined && { ports }),
    ...(restartPolicy !== undefined && { restartPolicy }),
    ...(resources?.requests !== undefined || resources?.limits !== undefined ? { resources } : {}),
  };
}

function projectStatus(status: PodStatus): PodStatus {
  const { phase, reason, conditions, podIP, podIPs, hostIP, startTime } = status;
  const { containerStatuses, initContainerStatuses, qosClass } = status;
  return {
    ...(qosClass !== undefined && { qosClass }),
    ...(phase !== undefined && { phase }),
    ...(reason !== undefined && { reason }),
    ...(conditions !== undefined && { conditions }),
    ...(podIP !== undefined && { podIP }),
    ...(podIPs !== undefined && { podIPs }),
    ...(hostIP !== undefined && { hostIP }),
    ...(startTime !== undefined && { startTime }),
    ...(containerStatuses !== undefined && { containerStatuses: containerStatuses.map(projectContainerStatus) }),
    ...(initContainerStatuses !== undefined && {
      initContainerStatuses: initContainerStatuses.map(projectContainerStatus),
    }),
  };
}

function projectContainerStatus(status: ContainerStatus): ContainerStatus {
  const terminated = status.state?.terminated;
  return {
    name: status.name,
    ready: status.ready,
    restartCount: status.restartCount,
    image: '',
    imageID: '',
    ...(terminated !== undefined && { state: { terminated } }),
  };
}
