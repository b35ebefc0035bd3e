import { forbidden, type Node, type Pod, type PriorityClass, resources, type Toleration } from '@wherry/api';
import type { ObjectReader } from '../cache/object-reader.ts';
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

const SYSTEM_PRIORITY_PREFIX = 'system-';

/** Resolves a pod's priority class to its number, and keeps at most one class the default. */
export function priority(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'Priority',
    async admit(attributes, object) {
      if (attributes.operation !== 'CREATE' || !isResource(attributes, '', 'pods')) {
        return object;
      }
      const pod = object as Pod;
      const asked = pod.spec?.priorityClassName ?? '';
      const found = asked === '' ? defaultClass(reader) : await reader.readFresh(resources.priorityclasses, '', asked);
      if (asked !== '' && found === undefined) {
        throw forbidden(resources.pods, pod.metadata?.name ?? '', `no PriorityClass with name ${asked} was found`);
      }
      const value = found?.value ?? 0;
      if (pod.spec?.priority !== undefined && pod.spec.priority !== value) {
        throw forbidden(
          resources.pods,
          pod.metadata?.name ?? '',
          `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
        );
      }
      const name = found?.metadata?.name ?? '';
      const preemptionPolicy = pod.spec?.preemptionPolicy ?? found?.preemptionPolicy ?? 'PreemptLowerPriority';
      const spec = { containers: [], ...pod.spec, priority: value, preemptionPolicy };
      return { ...pod, spec: name === '' ? spec : { ...spec, priorityClassName: name } };
    },
    validate(attributes) {
      if (attributes.operation === 'DELETE' || !isResource(attributes, 'scheduling.k8s.io', 'priorityclasses')) {
        return;
      }
      const next = attributes.object as PriorityClass;
      const name = next.metadata?.name ?? '';
      const known = defaultClass(reader);
      if (next.globalDefault === true && known !== undefined && known.metadata?.name !== name) {
        throw forbidden(
          resources.priorityclasses,
          name,
          `PriorityClass ${known.metadata?.name ?? ''} is already marked as default. Only one default can exist`,
        );
      }
    },
  };
}

function defaultClass(reader: ObjectReader): PriorityClass | undefined {
  let lowest: PriorityClass | undefined;
  for (const candidate of reader.all(resources.priorityclasses)) {
    const isSystem = candidate.metadata?.name?.startsWith(SYSTEM_PRIORITY_PREFIX) ?? false;
    if (candidate.globalDefault === true && !isSystem && (lowest === undefined || candidate.value < lowest.value)) {
      lowest = candidate;
    }
  }
  return lowest;
}
