import type { Labels, Node, NodeSpec, Pod, PodSpec } from '@wherry/api';
import { NodeTable } from '../framework/node-table.ts';
import type { ClusterView } from '../framework/plugin.ts';
import { podInfoOf } from '../framework/pod-info.ts';

/** Nodes and pods for tests, with as few words as possible. */
export function node(
  name: string,
  options: {
    labels?: Labels;
    spec?: NodeSpec;
    allocatable?: Record<string, string>;
    images?: Record<string, number>;
  } = {},
): Node {
  return {
    metadata: { name, uid: name, labels: { 'kubernetes.io/hostname': name, ...options.labels } },
    spec: options.spec ?? {},
    status: {
      allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...options.allocatable },
      images: Object.entries(options.images ?? {}).map(([image, sizeBytes]) => ({ names: [image], sizeBytes })),
    },
  };
}

export function pod(
  name: string,
  options: {
    labels?: Labels;
    requests?: Record<string, string>;
    hostPort?: number;
    image?: string;
    spec?: Partial<PodSpec>;
    namespace?: string;
  } = {},
): Pod {
  const { requests, hostPort, image = 'app:1' } = options;
  return {
    metadata: { namespace: options.namespace ?? 'default', name, uid: `uid-${name}`, labels: options.labels ?? {} },
    spec: {
      schedulerName: 'default-scheduler',
      containers: [
        {
          name: 'main',
          image,
          ...(requests === undefined ? {} : { resources: { requests } }),
          ...(hostPort === undefined ? {} : { ports: [{ containerPort: hostPort, hostPort }] }),
        },
      ],
      ...options.spec,
    },
  };
}

/** A view of nodes with pods on them: `{ 'node-1': [pod('a')] }` places by name. */
export function viewOf(
  nodes: readonly Node[],
  placed: Readonly<Record<string, readonly Pod[]>> = {},
  more: Partial<ClusterView> = {},
): ClusterView {
  const table = new NodeTable();
  for (const one of nodes) table.setNode(one);
  for (const [name, pods] of Object.entries(placed)) for (const one of pods) table.addPod(podInfoOf(one), name);
  return { table, namespaceLabels: () => undefined, workloadSelector: () => undefined, ...more };
}
