import { forbidden, type Pod, type RuntimeClass, resources, type StatusError, type Toleration } from '@wherry/api';
import type { ObjectReader } from '../cache/object-reader.ts';
import { sameValue } from '../kinds/equality.ts';
import { sameQuantity } from '../kinds/quantities.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './chain.ts';

/** A pod's runtime class says what it costs to run and on which nodes it can. */
export function runtimeClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    resources: ['/pods'],
    admit(attributes, object) {
      const pod = object as Pod;
      const name = pod.spec?.runtimeClassName;
      if (attributes.operation !== 'CREATE' || attributes.subresource !== '' || name === undefined) {
        return pod;
      }
      return withRuntimeClass(attributes, pod, name, reader);
    },
    validate(attributes) {
      const { spec } = (attributes.object ?? {}) as Pod;
      if (attributes.operation !== 'CREATE' || attributes.subresource !== '' || spec?.overhead === undefined) {
        return;
      }
      const found =
        spec.runtimeClassName === undefined
          ? undefined
          : reader.read(resources.runtimeclasses, '', spec.runtimeClassName);
      if (found?.overhead === undefined) {
        throw refuse(attributes, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
      }
    },
  };
}

function refuse({ stored, object, name }: AdmissionAttributes, text: string): StatusError {
  return forbidden(stored, object?.metadata?.name ?? name, text);
}

async function withRuntimeClass(
  attributes: AdmissionAttributes,
  pod: Pod,
  name: string,
  reader: ObjectReader,
): Promise<Pod> {
  const found = await reader.readFresh(resources.runtimeclasses, '', name);
  if (found === undefined) {
    throw refuse(attributes, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  }
  return withScheduling(attributes, withOverhead(attributes, pod, found), found);
}

/** @throws StatusError Forbidden when the pod states another overhead */
function withOverhead(attributes: AdmissionAttributes, pod: Pod, { overhead }: RuntimeClass): Pod {
  if (overhead === undefined || pod.spec === undefined) {
    return pod;
  }
  const fixed = overhead.podFixed ?? {};
  const given = pod.spec.overhead;
  if (given !== undefined && !sameAmounts(given, fixed)) {
    throw refuse(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  }
  return { ...pod, spec: { ...pod.spec, overhead: fixed } };
}

type Amounts = Readonly<Record<string, string>>;

function sameAmounts(left: Amounts, right: Amounts): boolean {
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => right[name] !== undefined && sameQuantity(left[name] ?? '', right[name]))
  );
}

/** @throws StatusError Forbidden when pod and class select nodes by different values */
function withScheduling(attributes: AdmissionAttributes, pod: Pod, { scheduling }: RuntimeClass): Pod {
  const { spec } = pod;
  if (scheduling === undefined || spec === undefined) {
    return pod;
  }
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key];
    if (own !== undefined && own !== value) {
      throw refuse(
        attributes,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      );
    }
  }
  const nodeSelector = { ...spec.nodeSelector, ...scheduling.nodeSelector };
  const tolerations = mergedTolerations(spec.tolerations ?? [], scheduling.tolerations ?? []);
  return {
    ...pod,
    spec: {
      ...spec,
      ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
      ...(tolerations.length === 0 ? {} : { tolerations }),
    },
  };
}

/** Both lists, without those that another one includes. */
export function mergedTolerations(first: readonly Toleration[], second: readonly Toleration[]): readonly Toleration[] {
  const all = [...first, ...second];
  const merged: Toleration[] = [];
  for (const [index, toleration] of all.entries()) {
    const isKnown = merged.some((other) => includes(other, toleration));
    const isPartOfLater = all
      .slice(index + 1)
      .some((other) => !sameValue(other, toleration) && includes(other, toleration));
    if (!isKnown && !isPartOfLater) {
      merged.push(toleration);
    }
  }
  return merged;
}

function includes(larger: Toleration, smaller: Toleration): boolean {
  if (sameValue(larger, smaller)) {
    return true;
  }
  const { key = '', operator = '', effect = '', value = '', tolerationSeconds } = larger;
  if ((smaller.key ?? '') !== key && (key !== '' || operator !== 'Exists')) {
    return false;
  }
  if ((smaller.effect ?? '') !== effect && effect !== '') {
    return false;
  }
  if (effect === 'NoExecute' && tolerationSeconds !== undefined) {
    if (smaller.tolerationSeconds === undefined || smaller.tolerationSeconds > tolerationSeconds) {
      return false;
    }
  }
  return operator === 'Exists' || ((smaller.operator ?? '') === operator && (smaller.value ?? '') === value);
}
