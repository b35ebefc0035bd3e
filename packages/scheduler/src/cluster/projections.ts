import type { ApiObject, Container, LabelSelector, Node, Pod, Service } from '@wherry/api';

/** Keeps of a pod what scheduling reads: a cluster's pods are most of this process's memory. */
export function projectPod(pod: Pod): Pod {
  const { metadata, spec, status } = pod;
  const { annotations: _annotations, ...keptMetadata } = metadata ?? {};
  if (spec === undefined) return { ...pod, metadata: keptMetadata };
  const {
    volumes: _volumes,
    imagePullSecrets: _secrets,
    containers,
    initContainers,
    ephemeralContainers: _debug,
    ...keptSpec
  } = spec;
  return {
    metadata: keptMetadata,
    spec: {
      ...keptSpec,
      containers: containers.map(projectContainer),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(projectContainer) }),
    },
    status: {
      ...(status?.phase === undefined ? {} : { phase: status.phase }),
      ...(status?.conditions === undefined ? {} : { conditions: status.conditions }),
      ...(status?.nominatedNodeName === undefined ? {} : { nominatedNodeName: status.nominatedNodeName }),
      ...(status?.startTime === undefined ? {} : { startTime: status.startTime }),
    },
  };
}

function projectContainer({ name, image, resources, ports, restartPolicy }: Container): Container {
  return {
    name,
    ...(image === undefined ? {} : { image }),
    ...(resources === undefined ? {} : { resources }),
    ...(ports === undefined ? {} : { ports }),
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
  };
}

export function projectNode(node: Node): Node {
  const { metadata, spec, status } = node;
  const { annotations: _annotations, ...keptMetadata } = metadata ?? {};
  return {
    metadata: keptMetadata,
    ...(spec === undefined ? {} : { spec }),
    status: {
      ...(status?.allocatable === undefined ? {} : { allocatable: status.allocatable }),
      ...(status?.images === undefined ? {} : { images: status.images }),
    },
  };
}

export function projectService({ metadata, spec }: Service): Service {
  return {
    ...(metadata === undefined ? {} : { metadata }),
    spec: spec?.selector === undefined ? {} : { selector: spec.selector },
  };
}

/** A ReplicaSet, StatefulSet or ReplicationController, as far as it says which pods are its own. */
export interface Workload extends ApiObject {
  readonly spec?: { readonly selector?: LabelSelector | Readonly<Record<string, string>> };
}

/** Drops template and status. */
export function projectWorkload<T extends Workload>(object: T): T {
  const selector = object.spec?.selector;
  return { metadata: object.metadata, spec: selector === undefined ? {} : { selector } } as T;
}
