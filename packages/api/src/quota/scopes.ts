// Which objects a quota with scopes is about.
import type {
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from '../generated/types.ts';
import { podQosClass } from '../pods/state.ts';

/** `scopes` and `scopeSelector` as one list. */
export function scopeRequirements({ spec }: ResourceQuota): readonly ScopedResourceSelectorRequirement[] {
  const scopes = spec?.scopes ?? [];
  const expressions = spec?.scopeSelector?.matchExpressions ?? [];
  if (scopes.length === 0) return expressions;
  return [...scopes.map((scopeName) => ({ scopeName, operator: 'Exists' })), ...expressions];
}

export function podInScope(pod: Pod, requirement: ScopedResourceSelectorRequirement): boolean {
  const { spec } = pod;
  switch (requirement.scopeName) {
    case 'Terminating':
      return hasDeadline(pod);
    case 'NotTerminating':
      return !hasDeadline(pod);
    case 'BestEffort':
      return podQosClass(pod) === 'BestEffort';
    case 'NotBestEffort':
      return podQosClass(pod) !== 'BestEffort';
    case 'PriorityClass':
      return satisfies(requirement, spec?.priorityClassName ? [spec.priorityClassName] : []);
    case 'CrossNamespacePodAffinity':
      return looksIntoOtherNamespaces(pod);
    default:
      return false;
  }
}

export function claimInScope(claim: PersistentVolumeClaim, requirement: ScopedResourceSelectorRequirement): boolean {
  if (requirement.scopeName !== 'VolumeAttributesClass') return false;
  const { spec, status } = claim;
  const classes = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return satisfies(
    requirement,
    classes.filter((name) => name !== undefined && name !== ''),
  );
}

function hasDeadline({ spec }: Pod): boolean {
  return spec?.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds >= 0;
}

/** A label selector's rules on the one value, or on any of several. */
function satisfies(
  { operator, values = [] }: ScopedResourceSelectorRequirement,
  given: readonly (string | undefined)[],
): boolean {
  const isOneOf = (value: string | undefined): boolean => value !== undefined && values.includes(value);
  switch (operator) {
    case 'Exists':
      return given.length > 0;
    case 'DoesNotExist':
      return given.length === 0;
    case 'In':
      return given.some(isOneOf);
    case 'NotIn':
      return given.length === 0 || given.some((value) => !isOneOf(value));
    default:
      return false;
  }
}

function looksIntoOtherNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  return [podAffinity, podAntiAffinity].some(
    (affinity) =>
      affinity?.requiredDuringSchedulingIgnoredDuringExecution?.some(crosses) === true ||
      affinity?.preferredDuringSchedulingIgnoredDuringExecution?.some(({ podAffinityTerm }) =>
        crosses(podAffinityTerm),
      ) === true,
  );
}

function crosses(term: PodAffinityTerm): boolean {
  return (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined;
}
