// Labels are the kubelet's memory: what a restarted kubelet has to know about a container stands in them. The
// io.kubernetes names are upstream's, so that other tools find pods as they are used to.
import type { RuntimeContainer, RuntimeSandbox } from '../../plan/runtime-state.ts';
import type { ContainerSpec, PodIdentity, SandboxSpec } from '../port.ts';

export const podUidLabel = 'io.kubernetes.pod.uid';
const podNameLabel = 'io.kubernetes.pod.name';
const podNamespaceLabel = 'io.kubernetes.pod.namespace';
const containerNameLabel = 'io.kubernetes.container.name';
const restartCountLabel = 'io.kubernetes.container.restartCount';
const graceLabel = 'io.kubernetes.pod.terminationGracePeriod';
const sandboxIdLabel = 'io.kubernetes.sandbox.id';

const clusterLabel = 'io.wherry.cluster';
const nodeLabel = 'io.wherry.node';
const roleLabel = 'io.wherry.role';
const attemptLabel = 'io.wherry.attempt';
const specHashLabel = 'io.wherry.spec-hash';
const backoffLabel = 'io.wherry.backoff-ms';
const podIpLabel = 'io.wherry.pod-ip';
const hostNetworkLabel = 'io.wherry.host-network';
const imageLabel = 'io.wherry.image';
const imageIdLabel = 'io.wherry.image-id';

export type Labels = Readonly<Record<string, string>>;

/** Whose containers a kubelet may touch: only those with both labels of its own. */
export interface Ownership {
  readonly cluster: string;
  readonly node: string;
}

function common(owner: Ownership, pod: PodIdentity, graceSeconds: number): Record<string, string> {
  return {
    [clusterLabel]: owner.cluster,
    [nodeLabel]: owner.node,
    [podUidLabel]: pod.uid,
    [podNameLabel]: pod.name,
    [podNamespaceLabel]: pod.namespace,
    [graceLabel]: String(graceSeconds),
  };
}

export function sandboxLabels(owner: Ownership, spec: SandboxSpec): Labels {
  return {
    ...common(owner, spec.pod, spec.graceSeconds),
    [containerNameLabel]: 'POD',
    [roleLabel]: 'sandbox',
    [attemptLabel]: String(spec.attempt),
    [hostNetworkLabel]: String(spec.hostNetwork),
    ...(spec.ip !== undefined && { [podIpLabel]: spec.ip }),
  };
}

export function containerLabels(owner: Ownership, spec: ContainerSpec): Labels {
  return {
    ...common(owner, spec.pod, spec.graceSeconds),
    [containerNameLabel]: spec.name,
    [roleLabel]: 'container',
    [sandboxIdLabel]: spec.sandboxId,
    [restartCountLabel]: String(spec.attempt),
    [attemptLabel]: String(spec.attempt),
    [specHashLabel]: spec.specHash,
    [backoffLabel]: String(spec.backoffMs),
    [imageLabel]: spec.image,
    [imageIdLabel]: spec.imageId,
  };
}

/** Docker's filter for everything this kubelet owns; anchors have the first two labels but no pod. */
export function ownedFilter(owner: Ownership, podUid?: string): readonly string[] {
  return [
    `${clusterLabel}=${owner.cluster}`,
    `${nodeLabel}=${owner.node}`,
    podUid === undefined ? podUidLabel : `${podUidLabel}=${podUid}`,
  ];
}

export function isOwned(owner: Ownership, labels: Labels): boolean {
  return (
    labels[clusterLabel] === owner.cluster && labels[nodeLabel] === owner.node && labels[podUidLabel] !== undefined
  );
}

export function podOf(labels: Labels): PodIdentity {
  return {
    uid: labels[podUidLabel] ?? '',
    name: labels[podNameLabel] ?? '',
    namespace: labels[podNamespaceLabel] ?? '',
  };
}

export function isSandbox(labels: Labels): boolean {
  return labels[roleLabel] === 'sandbox';
}

function number(text: string | undefined, fallback: number): number {
  const value = Number(text);
  return text === undefined || Number.isNaN(value) ? fallback : value;
}

export function sandboxFromLabels(labels: Labels): Pick<RuntimeSandbox, 'podUid' | 'attempt' | 'hostNetwork' | 'ip'> {
  const ip = labels[podIpLabel];
  return {
    podUid: labels[podUidLabel] ?? '',
    attempt: number(labels[attemptLabel], 0),
    hostNetwork: labels[hostNetworkLabel] === 'true',
    ...(ip !== undefined && { ip }),
  };
}

type LabelledContainer = Pick<
  RuntimeContainer,
  'podUid' | 'name' | 'attempt' | 'specHash' | 'image' | 'imageId' | 'sandboxId' | 'backoffMs' | 'graceSeconds'
>;

export function containerFromLabels(labels: Labels): LabelledContainer {
  return {
    podUid: labels[podUidLabel] ?? '',
    name: labels[containerNameLabel] ?? '',
    attempt: number(labels[restartCountLabel], 0),
    specHash: labels[specHashLabel] ?? '',
    image: labels[imageLabel] ?? '',
    imageId: labels[imageIdLabel] ?? '',
    sandboxId: labels[sandboxIdLabel] ?? '',
    backoffMs: number(labels[backoffLabel], 0),
    graceSeconds: number(labels[graceLabel], 30),
  };
}
