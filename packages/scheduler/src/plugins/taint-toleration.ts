import { toleratesTaint, untoleratedTaint } from '@wherry/api';
import { type FilterPlugin, type Refusal, type ScorePlugin, scaleByLargest } from '../framework/plugin.ts';

const NAME = 'TaintToleration';

const REFUSAL: Refusal = { plugin: NAME, reasons: ['node(s) had untolerated taint(s)'], resolvable: false };

const REFUSING = ['NoSchedule', 'NoExecute'] as const;

export const taintToleration: FilterPlugin = {
  name: NAME,
  prepare: (pod, { table }) => ({
    kind: 'check',
    check(row) {
      const taints = table.nodes[row]?.spec?.taints;
      if (taints === undefined || taints.length === 0) return undefined;
      return untoleratedTaint(taints, pod.tolerations, REFUSING) === undefined ? undefined : REFUSAL;
    },
  }),
  mayHelp: (event, pod) =>
    (event.kind === 'node-added' || event.kind === 'node-changed') &&
    untoleratedTaint(event.node.spec?.taints, pod.tolerations, REFUSING) === undefined,
};

/** Fewer taints that the pod would rather avoid are better. */
export const taintTolerationScore: ScorePlugin = {
  name: NAME,
  prepare(pod, { table }, rows) {
    const avoided = (row: number): number => {
      let count = 0;
      for (const taint of table.nodes[row]?.spec?.taints ?? []) {
        if (taint.effect === 'PreferNoSchedule' && !toleratesTaint(pod.tolerations, taint)) count++;
      }
      return count;
    };
    // Without such taints all nodes get the same full score, which changes nothing.
    if (!rows.some((row) => avoided(row) > 0)) return undefined;
    return { score: avoided, normalize: (scores) => scaleByLargest(scores, true) };
  },
};
