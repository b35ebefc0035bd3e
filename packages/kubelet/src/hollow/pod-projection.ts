// What a hollow node keeps of a pod. Pods of one template differ in little: what is the same is kept once.
import type { Container, ObjectMeta, Pod, PodSpec } from '@wherry/api';

/** Different parts remembered; a cluster has far fewer templates. The oldest goes first. */
const partsMax = 4_096;

class Shared {
  readonly #parts = new Map<string, object>();

  /** A part that looks the same: this one, or one that was seen before. */
  get<T extends object>(part: T): T {
    const key = JSON.stringify(part);
    const known = this.#parts.get(key);
    // Equal text means equal shape.
    if (known !== undefined) return known as T;
    this.#parts.set(key, part);
    const oldest = this.#parts.keys().next().value;
    if (this.#parts.size > partsMax && oldest !== undefined) this.#parts.delete(oldest);
    return part;
  }
}

/** Environment and mounts are a process's business, and there is none. */
function bare({ volumeMounts: _, env: __, envFrom: ___, command: ____, args: _____, ...container }: Container) {
  return container;
}

function metadataOf(metadata: ObjectMeta, shared: Shared): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, labels, annotations } = metadata;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  return {
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(generation !== undefined && { generation }),
    ...(labels !== undefined && { labels: shared.get(labels) }),
    ...(annotations !== undefined && { annotations: shared.get(annotations) }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
  };
}

function templateOf(spec: PodSpec): Omit<PodSpec, 'nodeName'> {
  const { restartPolicy, terminationGracePeriodSeconds, activeDeadlineSeconds, hostNetwork, readinessGates } = spec;
  const { containers, initContainers, overhead } = spec;
  return {
    containers: containers.map(bare),
    ...(initContainers !== undefined && { initContainers: initContainers.map(bare) }),
    ...(restartPolicy !== undefined && { restartPolicy }),
    ...(terminationGracePeriodSeconds !== undefined && { terminationGracePeriodSeconds }),
    ...(activeDeadlineSeconds !== undefined && { activeDeadlineSeconds }),
    ...(hostNetwork !== undefined && { hostNetwork }),
    ...(readinessGates !== undefined && { readinessGates }),
    ...(overhead !== undefined && { overhead }),
  };
}

/** @param isOurs whether a node is one of this process's: of pods elsewhere only the names are kept */
export function podProjection(isOurs: (nodeName: string) => boolean): (pod: Pod) => Pod {
  const shared = new Shared();
  return ({ metadata = {}, spec, status }) => {
    const nodeName = spec?.nodeName ?? '';
    if (spec === undefined || !isOurs(nodeName)) {
      const { name = '', namespace = '', uid = '', resourceVersion = '' } = metadata;
      return { metadata: { name, namespace, uid, resourceVersion } };
    }
    const template = shared.get(templateOf(spec));
    return { metadata: metadataOf(metadata, shared), spec: { ...template, nodeName }, ...(status && { status }) };
  };
}
