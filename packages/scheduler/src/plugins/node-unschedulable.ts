import { type Taint, toleratesTaint } from '@wherry/api';
import { type FilterPlugin, type Refusal, SKIP } from '../framework/plugin.ts';

const CORDONED: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

const REFUSAL: Refusal = { plugin: 'NodeUnschedulable', reasons: ['node(s) were unschedulable'], resolvable: false };

/** Cordoned nodes take only pods that tolerate being put there. */
export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  prepare(pod, { table }) {
    if (toleratesTaint(pod.tolerations, CORDONED)) return SKIP;
    return { kind: 'check', check: (row) => (table.nodes[row]?.spec?.unschedulable === true ? REFUSAL : undefined) };
  },
  mayHelp: (event) =>
    (event.kind === 'node-added' || event.kind === 'node-changed') && event.node.spec?.unschedulable !== true,
};
