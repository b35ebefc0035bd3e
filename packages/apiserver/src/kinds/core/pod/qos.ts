import type { Pod, PodSpec, ResourceRequirements } from '@wherry/api';
import { compareQuantities, isPositiveQuantity } from '../../quantities.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const computeResources = ['cpu', 'memory'] as const;

/**
 * What the pod's spec promises, whatever its status says: Guaranteed when every container limits CPU and memory to
 * exactly what it requests, BestEffort when nobody asks for either. Pod-level resources speak for all containers.
 */
export function podQosClass(pod: Pod): QosClass {
  const spec = pod.spec;
  if (spec === undefined) return 'BestEffort';
  let asksForAnything = false;
  let isGuaranteed = true;
  for (const resources of holders(spec)) {
    for (const name of computeResources) {
      const request = positive(resources?.requests?.[name]);
      const limit = positive(resources?.limits?.[name]);
      asksForAnything ||= request !== undefined || limit !== undefined;
      isGuaranteed &&= limit !== undefined && request !== undefined && compareQuantities(request, limit) === 0;
    }
  }
  if (!asksForAnything) return 'BestEffort';
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}

function holders(spec: PodSpec): readonly (ResourceRequirements | undefined)[] {
  if (spec.resources?.requests !== undefined || spec.resources?.limits !== undefined) return [spec.resources];
  return [...spec.containers, ...(spec.initContainers ?? [])].map((container) => container.resources);
}

function positive(quantity: string | undefined): string | undefined {
  return quantity !== undefined && isPositiveQuantity(quantity) ? quantity : undefined;
}
