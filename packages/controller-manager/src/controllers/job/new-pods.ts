import type { Container, Job, Pod } from '@wherry/api';
import type { Owner } from '../../pods/ownership.ts';
import { podFromTemplate } from '../../pods/template.ts';
import { inheritedFailures } from './failures.ts';
import { COMPLETION_INDEX } from './indexes.ts';

/** Keeps a finished pod until the Job has counted it. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

/** Longest prefix that leaves the server room for its suffix in a name of 63 characters. */
const PREFIX_LENGTH_MAX = 58;
const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX';

/**
 * @param index completion index, in an indexed Job
 * @param predecessor the failed pod it replaces, where indexes have failure limits of their own
 */
export function jobPod(job: Job, owner: Owner, index: number | undefined, predecessor: Pod | undefined): Pod {
  const pod = podFromTemplate(job.spec?.template ?? {}, owner);
  const finalizers = pod.metadata?.finalizers ?? [];
  const metadata = {
    ...pod.metadata,
    finalizers: finalizers.includes(TRACKING_FINALIZER) ? finalizers : [...finalizers, TRACKING_FINALIZER],
  };
  if (index === undefined || pod.spec === undefined) return { ...pod, metadata };
  const value = String(index);
  const failures = job.spec?.backoffLimitPerIndex === undefined ? {} : inheritedFailures(job, predecessor);
  const { initContainers } = pod.spec;
  return {
    ...pod,
    metadata: {
      ...metadata,
      generateName: prefixOf(owner.name, value),
      labels: { ...metadata.labels, [COMPLETION_INDEX]: value },
      annotations: { ...metadata.annotations, [COMPLETION_INDEX]: value, ...failures },
    },
    spec: {
      ...pod.spec,
      hostname: `${owner.name}-${value}`,
      containers: pod.spec.containers.map(withIndexVariable),
      ...(initContainers !== undefined && { initContainers: initContainers.map(withIndexVariable) }),
    },
  };
}

function prefixOf(name: string, index: string): string {
  const end = `-${index}-`;
  return name.length + end.length <= PREFIX_LENGTH_MAX
    ? name + end
    : name.slice(0, PREFIX_LENGTH_MAX - end.length) + end;
}

function withIndexVariable(container: Container): Container {
  if (container.env?.some((variable) => variable.name === INDEX_VARIABLE)) return container;
  const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`;
  return {
    ...container,
    env: [...(container.env ?? []), { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath } } }],
  };
}
