import { type Binding, resources } from '@wherry/api';
import type { ObjectReader } from '../cache/object-reader.ts';
import type { AdmissionPlugin } from './chain.ts';

/** Where a node is, as pods may know it. */
export const topologyLabels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'] as const;

/** A pod that gets its node learns the node's zone and region as labels (KEP-4742). */
export function podTopologyLabels(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    resources: ['/pods'],
    admit({ operation, subresource }, object) {
      if (operation !== 'CREATE' || subresource !== 'binding') {
        return object;
      }
      const binding = object as Binding;
      const labels = reader.read(resources.nodes, '', binding.target.name ?? '')?.metadata?.labels ?? {};
      const known = topologyLabels.filter((label) => labels[label] !== undefined);
      if (known.length === 0) {
        return binding;
      }
      const added = Object.fromEntries(known.map((label) => [label, labels[label] ?? '']));
      return { ...binding, metadata: { ...binding.metadata, labels: { ...binding.metadata?.labels, ...added } } };
    },
  };
}
