import type { Container, ContainerStatus, Pod, PodSpec, PodStatus } from '@wherry/api';

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
    ...(spec.affinity?.nodeAffinity !== undefined && { affinity: { nodeAffinity: spec.affinity.nodeAffinity } }),
    ...(volumes !== undefined && {
      volumes: volumes.flatMap((volume) =>
        volume.persistentVolumeClaim === undefined
          ? []
          : [{ name: volume.name, persistentVolumeClaim: volume.persistentVolumeClaim }],
      ),
    }),
  };
}

function projectContainer({ name, ports, restartPolicy }: Container): Container {
  return { name, ...(ports !== undefined && { ports }), ...(restartPolicy !== undefined && { restartPolicy }) };
}

function projectStatus(status: PodStatus): PodStatus {
  const { phase, reason, conditions, podIP, podIPs, hostIP, startTime } = status;
  const { containerStatuses, initContainerStatuses } = status;
  return {
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
