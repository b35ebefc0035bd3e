import { forbidden, type Pod, type PriorityClass, resources } from '@wherry/api';
import type { ObjectReader } from '../cache/object-reader.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './chain.ts';

const NO_CLASS = { value: 0, preemptionPolicy: 'PreemptLowerPriority' } as const;

/** Resolves a pod's priority class to its number, and keeps at most one class the default. */
export function priority(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'Priority',
    resources: ['/pods', 'scheduling.k8s.io/priorityclasses'],
    admit(attributes, object) {
      const { stored, operation, subresource, old } = attributes;
      if (stored.resource !== 'pods' || subresource !== '') {
        return object;
      }
      return operation === 'CREATE'
        ? withClass(attributes, object as Pod, reader)
        : withOldPriority(object as Pod, old);
    },
    validate(attributes) {
      const { stored, operation, object } = attributes;
      if (stored.resource === 'priorityclasses' && operation !== 'DELETE') {
        checkOnlyDefault(object as PriorityClass, operation, reader);
      }
    },
  };
}

async function withClass(attributes: AdmissionAttributes, pod: Pod, reader: ObjectReader): Promise<Pod> {
  const asked = pod.spec?.priorityClassName ?? '';
  const refuse = (text: string) => forbidden(resources.pods, pod.metadata?.name ?? attributes.name, text);
  const found = asked === '' ? defaultClass(reader) : await reader.readFresh(resources.priorityclasses, '', asked);
  if (asked !== '' && found === undefined) {
    throw refuse(`no PriorityClass with name ${asked} was found`);
  }
  const { value, preemptionPolicy = NO_CLASS.preemptionPolicy } = found ?? NO_CLASS;
  const given = pod.spec?.priority;
  if (given !== undefined && given !== value) {
    throw refuse(
      `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  }
  const policy = pod.spec?.preemptionPolicy;
  if (policy !== undefined && policy !== preemptionPolicy) {
    throw refuse(
      `the string value of PreemptionPolicy (${policy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    );
  }
  const name = found?.metadata?.name ?? '';
  const spec = { containers: [], ...pod.spec, priority: value, preemptionPolicy };
  return { ...pod, spec: name === '' ? spec : { ...spec, priorityClassName: name } };
}

/** Clients that do not know these fields leave them out, and they cannot change. */
function withOldPriority(pod: Pod, old: AdmissionAttributes['old']): Pod {
  const { priority: value, preemptionPolicy } = (old as Pod | undefined)?.spec ?? {};
  const { spec } = pod;
  if (spec === undefined) {
    return pod;
  }
  const kept = {
    ...(spec.priority === undefined && value !== undefined ? { priority: value } : {}),
    ...(spec.preemptionPolicy === undefined && preemptionPolicy !== undefined ? { preemptionPolicy } : {}),
  };
  return Object.keys(kept).length === 0 ? pod : { ...pod, spec: { ...spec, ...kept } };
}

/** @throws StatusError Forbidden */
function checkOnlyDefault(next: PriorityClass, operation: string, reader: ObjectReader): void {
  const known = next.globalDefault === true ? defaultClass(reader) : undefined;
  const name = next.metadata?.name ?? '';
  if (known !== undefined && (operation === 'CREATE' || known.metadata?.name !== name)) {
    throw forbidden(
      resources.priorityclasses,
      name,
      `PriorityClass ${known.metadata?.name ?? ''} is already marked as default. Only one default can exist`,
    );
  }
}

/** The lowest, should two have become the default at the same moment. */
function defaultClass(reader: ObjectReader): PriorityClass | undefined {
  let lowest: PriorityClass | undefined;
  for (const candidate of reader.all(resources.priorityclasses)) {
    if (candidate.globalDefault === true && (lowest === undefined || candidate.value < lowest.value)) {
      lowest = candidate;
    }
  }
  return lowest;
}
