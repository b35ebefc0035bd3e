import {
  compileLabelSelector,
  controllerOf,
  type LabelFilter,
  type Labels,
  labelsMatch,
  objectKey,
  type Pod,
  type PodAffinityTerm,
  podRequests,
  type ResourceAmounts,
  type Toleration,
} from '@wherry/api';

/** What a container that requests nothing counts as when nodes are scored, so that such pods spread too. */
const UNREQUESTED: ResourceAmounts = { cpu: 100, memory: 200 * 1024 * 1024 };

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

export interface AffinityTerm {
  readonly filter: LabelFilter;
  /** Namespaces named by the term; the pod's own when it names none and selects none. */
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceFilter: LabelFilter | undefined;
  readonly topologyKey: string;
  /** 0 for required terms. */
  readonly weight: number;
}

export interface PodAffinities {
  readonly required: readonly AffinityTerm[];
  readonly preferred: readonly AffinityTerm[];
}

/** What scheduling needs of a pod, computed once per version of it. CPU is in millicores, the rest in units. */
export interface PodInfo {
  readonly pod: Pod;
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Labels | undefined;
  readonly priority: number;
  readonly cpu: number;
  readonly memory: number;
  readonly ephemeralStorage: number;
  /** Every other requested resource. */
  readonly extended: readonly (readonly [name: string, amount: number])[];
  readonly nonZeroCpu: number;
  readonly nonZeroMemory: number;
  readonly hostPorts: readonly HostPort[];
  readonly tolerations: readonly Toleration[];
  readonly affinity: PodAffinities;
  readonly antiAffinity: PodAffinities;
  readonly hasAffinity: boolean;
  readonly images: readonly string[];
  readonly terminating: boolean;
  readonly controllerUid: string | undefined;
}

const NO_AFFINITY: PodAffinities = { required: [], preferred: [] };
const NO_PORTS: readonly HostPort[] = [];
const NO_TOLERATIONS: readonly Toleration[] = [];

export function podInfoOf(pod: Pod): PodInfo {
  const { spec, metadata } = pod;
  const requests = podRequests(pod);
  const nonZero = podRequests(pod, { missing: UNREQUESTED });
  const namespace = metadata?.namespace ?? '';
  const affinity = affinitiesOf(spec?.affinity?.podAffinity, namespace);
  const antiAffinity = affinitiesOf(spec?.affinity?.podAntiAffinity, namespace);
  const extended = Object.entries(requests).filter(
    ([name, amount]) => amount > 0 && name !== 'cpu' && name !== 'memory' && name !== 'ephemeral-storage',
  );
  return {
    pod,
    key: objectKey(pod),
    uid: metadata?.uid ?? '',
    namespace,
    labels: metadata?.labels,
    priority: spec?.priority ?? 0,
    cpu: requests['cpu'] ?? 0,
    memory: requests['memory'] ?? 0,
    ephemeralStorage: requests['ephemeral-storage'] ?? 0,
    extended,
    nonZeroCpu: nonZero['cpu'] ?? 0,
    nonZeroMemory: nonZero['memory'] ?? 0,
    hostPorts: hostPortsOf(pod),
    tolerations: spec?.tolerations ?? NO_TOLERATIONS,
    affinity,
    antiAffinity,
    hasAffinity: affinity !== NO_AFFINITY || antiAffinity !== NO_AFFINITY,
    images: [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ image }) => imageName(image ?? '')),
    terminating: metadata?.deletionTimestamp !== undefined,
    controllerUid: controllerOf(metadata)?.uid,
  };
}

/** A pod's image as nodes list it: with a tag. */
export function imageName(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}

function hostPortsOf(pod: Pod): readonly HostPort[] {
  const sidecars = pod.spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always') ?? [];
  const ports = [...sidecars, ...(pod.spec?.containers ?? [])].flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort = 0, hostIP, protocol }) =>
      hostPort > 0 ? [{ ip: hostIP || '0.0.0.0', protocol: protocol ?? 'TCP', port: hostPort }] : [],
    ),
  );
  return ports.length === 0 ? NO_PORTS : ports;
}

function affinitiesOf(
  affinity:
    | {
        readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
        readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
          readonly weight: number;
          readonly podAffinityTerm: PodAffinityTerm;
        }[];
      }
    | undefined,
  namespace: string,
): PodAffinities {
  if (affinity === undefined) return NO_AFFINITY;
  return {
    required: (affinity.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => termOf(term, namespace, 0)),
    preferred: (affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, podAffinityTerm }) =>
      termOf(podAffinityTerm, namespace, weight),
    ),
  };
}

function termOf(term: PodAffinityTerm, namespace: string, weight: number): AffinityTerm {
  const named = term.namespaces ?? [];
  const own = named.length === 0 && term.namespaceSelector === undefined;
  return {
    filter: compileLabelSelector(term.labelSelector),
    namespaces: new Set(own ? [namespace] : named),
    namespaceFilter: term.namespaceSelector === undefined ? undefined : compileLabelSelector(term.namespaceSelector),
    topologyKey: term.topologyKey,
    weight,
  };
}

/** Whether the pod is one the term speaks of, wherever it runs. */
export function termMatches(
  term: AffinityTerm,
  pod: PodInfo,
  namespaceLabels: (namespace: string) => Labels | undefined,
): boolean {
  const inScope =
    term.namespaces.has(pod.namespace) ||
    (term.namespaceFilter !== undefined && labelsMatch(term.namespaceFilter, namespaceLabels(pod.namespace) ?? {}));
  return inScope && labelsMatch(term.filter, pod.labels);
}
