import type { DaemonSet, NodeAffinity, Pod } from '@wherry/api';
import type { Owner } from '../../pods/ownership.ts';
import { podFromTemplate } from '../../pods/template.ts';
import { daemonTolerations } from './placement.ts';

export const REVISION_LABEL = 'controller-revision-hash';
const GENERATION_LABEL = 'pod-template-generation';
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';

/** The pod for one node: its affinity leaves the scheduler no choice. */
export function daemonPod(set: DaemonSet, owner: Owner, hash: string, node: string): Pod {
  const template = set.spec?.template ?? {};
  const pod = podFromTemplate(template, owner);
  const generation = set.metadata?.annotations?.[GENERATION_ANNOTATION];
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata?.labels,
        [REVISION_LABEL]: hash,
        ...(generation !== undefined && { [GENERATION_LABEL]: generation }),
      },
    },
    spec: {
      ...(pod.spec ?? { containers: [] }),
      tolerations: daemonTolerations(template),
      affinity: { ...template.spec?.affinity, nodeAffinity: pinTo(node, template.spec?.affinity?.nodeAffinity) },
    },
  };
}

/** Required terms are replaced: that the node fits them has been checked already. */
function pinTo(node: string, affinity: NodeAffinity | undefined): NodeAffinity {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }];
  return { ...affinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } };
}
