// Whether a node satisfies what a pod or volume asks of it.
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../generated/types.ts';
import { type LabelOperator, type Labels, requirementMatches } from '../selectors/label-selector.ts';

const operators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
};

/** Any term may match; a selector without terms, and an empty term, match nothing. */
export function nodeSelectorMatches(selector: NodeSelector, node: Node): boolean {
  return selector.nodeSelectorTerms.some((term) => nodeSelectorTermMatches(term, node));
}

export function nodeSelectorTermMatches(term: NodeSelectorTerm, node: Node): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  const fieldValues: Labels = { 'metadata.name': node.metadata?.name ?? '' };
  return (
    expressions.every((requirement) => matches(requirement, node.metadata?.labels)) &&
    fields.every((requirement) => matches(requirement, fieldValues))
  );
}

/** Node selector and required node affinity of a pod together. */
export function nodeSuitsPod(pod: Pod, node: Node): boolean {
  const labels = node.metadata?.labels ?? {};
  for (const [key, value] of Object.entries(pod.spec?.nodeSelector ?? {})) {
    if (labels[key] !== value) return false;
  }
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || nodeSelectorMatches(required, node);
}

function matches({ key, operator, values }: NodeSelectorRequirement, labels: Labels | undefined): boolean {
  const own = operators[operator];
  return own !== undefined && requirementMatches({ key, operator: own, values: values ?? [] }, labels);
}
