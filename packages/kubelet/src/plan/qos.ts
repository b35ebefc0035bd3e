// Quality-of-service class and the kernel's out-of-memory score that follows from it.
import { type Container, type Pod, quantityToNumber } from '@wherry/api';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const counted: readonly string[] = ['cpu', 'memory'];

function positive(list: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  const value = list?.[name];
  return value !== undefined && quantityToNumber(value) > 0 ? value : undefined;
}

/** The class of a pod: by its pod-level resources if it has any, else by all of its containers. */
export function qosClass(pod: Pod): QosClass {
  const spec = pod.spec;
  const all =
    spec?.resources !== undefined
      ? [{ resources: spec.resources }]
      : [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  let any = false;
  let guaranteed = true;
  for (const { resources } of all) {
    for (const name of counted) {
      const request = positive(resources?.requests, name);
      const limit = positive(resources?.limits, name);
      if (request !== undefined || limit !== undefined) any = true;
      // A request that is absent defaults to the limit.
      const equal = limit !== undefined && quantityToNumber(request ?? limit) === quantityToNumber(limit);
      if (!equal) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** `oom_score_adj` of a container: the more memory it asked for, the later it is killed. */
export function oomScoreAdjust(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  if (pod.spec?.priorityClassName === 'system-node-critical') return -997;
  switch (qosClass(pod)) {
    case 'Guaranteed':
      return -997;
    case 'BestEffort':
      return 1000;
    case 'Burstable': {
      const request = container.resources?.requests?.['memory'];
      const requestBytes = request === undefined ? 0 : quantityToNumber(request);
      const score = 1000 - Math.floor((1000 * requestBytes) / memoryCapacityBytes);
      return Math.min(999, Math.max(3, score));
    }
  }
}
