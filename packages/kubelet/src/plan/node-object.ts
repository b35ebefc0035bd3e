// The Node object as this kubelet describes itself.
import type { Node, NodeStatus, NodeSystemInfo, Taint } from '@wherry/api';

export interface NodeDescription {
  readonly name: string;
  readonly ip: string;
  readonly architecture: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Given at registration only. */
  readonly taints: readonly Taint[];
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
  readonly podsMax: number;
  readonly kubeletPort: number;
}

/** Kept free by eviction, so pods cannot have it: upstream's hard thresholds. */
const memoryReserveBytes = 100 * 1024 * 1024;
const storageReserveShare = 0.1;

function amounts(description: NodeDescription, allocatable: boolean): Record<string, string> {
  const { cpuMillis, memoryBytes, ephemeralStorageBytes: storageBytes } = description;
  const memory = allocatable ? Math.max(memoryBytes - memoryReserveBytes, Math.floor(memoryBytes * 0.9)) : memoryBytes;
  const storage = allocatable ? Math.floor(storageBytes * (1 - storageReserveShare)) : storageBytes;
  return {
    cpu: cpuMillis % 1000 === 0 ? String(cpuMillis / 1000) : `${cpuMillis}m`,
    memory: `${Math.floor(memory / 1024)}Ki`,
    'ephemeral-storage': `${Math.floor(storage / 1024)}Ki`,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    pods: String(description.podsMax),
  };
}

export function nodeLabels(description: NodeDescription): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': description.architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': description.architecture,
    'kubernetes.io/hostname': description.name,
    'kubernetes.io/os': 'linux',
    ...description.labels,
  };
}

export function newNode(description: NodeDescription, status: NodeStatus): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: description.name,
      labels: nodeLabels(description),
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: description.taints.length === 0 ? {} : { taints: description.taints },
    status,
  };
}

/** Everything of the status but its conditions and images. */
export function nodeStatusBase(description: NodeDescription, nodeInfo: NodeSystemInfo): NodeStatus {
  return {
    addresses: [
      { type: 'InternalIP', address: description.ip },
      { type: 'Hostname', address: description.name },
    ],
    capacity: amounts(description, false),
    allocatable: amounts(description, true),
    daemonEndpoints: { kubeletEndpoint: { Port: description.kubeletPort } },
    nodeInfo,
  };
}
