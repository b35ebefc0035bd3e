import { type FilterPlugin, type Refusal, SKIP } from '../framework/plugin.ts';

const REFUSAL: Refusal = {
  plugin: 'NodeName',
  reasons: ["node(s) didn't match the requested node name"],
  resolvable: false,
};

/** A pod that names its node goes there or nowhere. */
export const nodeName: FilterPlugin = {
  name: 'NodeName',
  prepare(pod, { table }) {
    const wanted = pod.pod.spec?.nodeName ?? '';
    if (wanted === '') return SKIP;
    return { kind: 'check', check: (row) => (table.names[row] === wanted ? undefined : REFUSAL) };
  },
  mayHelp: (event, pod) => event.kind === 'node-added' && event.node.metadata?.name === pod.pod.spec?.nodeName,
};
