import { allContainers, type Node, type Pod, type PodSpec, type Toleration } from '@wherry/api';
import { type AdmissionPlugin, isResource } from './chain.ts';

export interface TolerationSeconds {
  readonly notReady: number;
  readonly unreachable: number;
}

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';

/** Pods stay on a node that fails for five minutes (or as configured) unless they say otherwise. */
export function defaultTolerationSeconds(seconds: TolerationSeconds): AdmissionPlugin {
  return {
    name: 'DefaultTolerationSeconds',
    resources: ['/pods'],
    admit(attributes, object) {
      if (attributes.operation === 'DELETE' || !isResource(attributes, '', 'pods')) {
        return object;
      }
      const pod = object as Pod;
      const tolerations = pod.spec?.tolerations ?? [];
      const missing = [
        [NOT_READY, seconds.notReady],
        [UNREACHABLE, seconds.unreachable],
      ].flatMap(([key, tolerationSeconds]): Toleration[] =>
        tolerations.some((toleration) => toleratesNoExecute(toleration, String(key)))
          ? []
          : [
              {
                key: String(key),
                operator: 'Exists',
                effect: 'NoExecute',
                tolerationSeconds: Number(tolerationSeconds),
              },
            ],
      );
      return missing.length === 0 || pod.spec === undefined
        ? pod
        : { ...pod, spec: { ...pod.spec, tolerations: [...tolerations, ...missing] } };
    },
  };
}

function toleratesNoExecute(toleration: Toleration, key: string): boolean {
  return (
    (toleration.key === key || (toleration.key ?? '') === '') &&
    (toleration.effect === 'NoExecute' || (toleration.effect ?? '') === '')
  );
}

/** New nodes take no pods until the node controller has seen them ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  resources: ['/nodes'],
  admit(attributes, object) {
    if (attributes.operation !== 'CREATE' || !isResource(attributes, '', 'nodes')) {
      return object;
    }
    const node = object as Node;
    const taints = node.spec?.taints ?? [];
    return taints.some(({ key, effect }) => key === NOT_READY && effect === 'NoSchedule')
      ? node
      : { ...node, spec: { ...node.spec, taints: [...taints, { key: NOT_READY, effect: 'NoSchedule' }] } };
  },
};

/** Pods that ask for a resource of some device may use the nodes that are tainted with its name. Off by default. */
export const extendedResourceToleration: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  resources: ['/pods'],
  admit(attributes, object) {
    if (attributes.operation === 'DELETE' || attributes.subresource !== '') {
      return object;
    }
    const pod = object as Pod;
    const { spec } = pod;
    const missing = extendedResources(spec).filter(
      (name) => !(spec?.tolerations ?? []).some((toleration) => isToleration(toleration, name)),
    );
    if (spec === undefined || missing.length === 0) {
      return pod;
    }
    const added = missing.map((key): Toleration => ({ key, operator: 'Exists', effect: 'NoSchedule' }));
    return { ...pod, spec: { ...spec, tolerations: [...(spec.tolerations ?? []), ...added] } };
  },
};

function extendedResources(spec: PodSpec | undefined): readonly string[] {
  const names = allContainers(spec).flatMap(({ resources }) => Object.keys(resources?.requests ?? {}));
  return [...new Set(names.filter((name) => name.includes('/') && !name.includes('kubernetes.io/')))].sort();
}

function isToleration({ key, operator, effect }: Toleration, name: string): boolean {
  return key === name && operator === 'Exists' && effect === 'NoSchedule';
}
