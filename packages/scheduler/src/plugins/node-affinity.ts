import { type NodeSelector, nodeSelectorTermMatches, nodeSuitsPod } from '@wherry/api';
import {
  type FilterPlugin,
  labelsChanged,
  type Refusal,
  type ScorePlugin,
  SKIP,
  scaleByLargest,
} from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';

const NAME = 'NodeAffinity';

const REFUSAL: Refusal = {
  plugin: NAME,
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  resolvable: false,
};

/** Node selector and required node affinity. */
export const nodeAffinity: FilterPlugin = {
  name: NAME,
  prepare(pod, { table }) {
    const { nodeSelector, affinity } = pod.pod.spec ?? {};
    const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (required === undefined && Object.keys(nodeSelector ?? {}).length === 0) return SKIP;
    const check = (row: number): Refusal | undefined => {
      const node = table.nodes[row];
      return node !== undefined && nodeSuitsPod(pod.pod, node) ? undefined : REFUSAL;
    };
    const nodeNames = required === undefined ? undefined : namedNodes(required);
    return nodeNames === undefined ? { kind: 'check', check } : { kind: 'only', nodeNames, check };
  },
  mayHelp(event, pod) {
    if (event.kind === 'node-added') return nodeSuitsPod(pod.pod, event.node);
    return (
      event.kind === 'node-changed' && labelsChanged(event.node, event.previous) && nodeSuitsPod(pod.pod, event.node)
    );
  },
};

/** The only nodes the selector can match, when each of its terms names nodes, as those of daemon pods do. */
function namedNodes(selector: NodeSelector): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const { matchFields = [] } of selector.nodeSelectorTerms) {
    const name = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In');
    if (name === undefined) return undefined;
    for (const value of name.values ?? []) names.add(value);
  }
  return names;
}

/** The sum of the weights of the preferences a node meets. */
export const nodeAffinityScore: ScorePlugin = {
  name: NAME,
  prepare(pod: PodInfo, { table }) {
    const preferred = pod.pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (preferred.length === 0) return undefined;
    return {
      score(row) {
        const node = table.nodes[row];
        if (node === undefined) return 0;
        let sum = 0;
        for (const { weight, preference } of preferred) if (nodeSelectorTermMatches(preference, node)) sum += weight;
        return sum;
      },
      normalize: (scores) => scaleByLargest(scores, false),
    };
  },
};
