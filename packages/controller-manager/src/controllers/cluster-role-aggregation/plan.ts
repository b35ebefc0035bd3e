import { type ClusterRole, labelSelectorMatches, type PolicyRule } from '@wherry/api';
import { canonicalJson } from '../../pods/template-hash.ts';

/** The rules an aggregated role must have: those of all roles it selects, each once; undefined when it has them. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] | undefined {
  const selectors = role.aggregationRule?.clusterRoleSelectors;
  if (selectors === undefined) return undefined;
  const sources = all
    .filter(
      (other) =>
        other.metadata?.name !== role.metadata?.name &&
        selectors.some((selector) => labelSelectorMatches(selector, other.metadata?.labels)),
    )
    .sort((left, right) => ((left.metadata?.name ?? '') < (right.metadata?.name ?? '') ? -1 : 1));
  const rules = new Map<string, PolicyRule>();
  for (const source of sources) for (const rule of source.rules ?? []) rules.set(canonicalJson(rule), rule);
  const wanted = [...rules.values()];
  return canonicalJson(wanted) === canonicalJson(role.rules ?? []) ? undefined : wanted;
}
