import {
  type ApiObject,
  addAmounts,
  equalAmounts,
  formatAmounts,
  maskAmounts,
  parseAmounts,
  parseQuantity,
  type QuotaAmounts,
  quotaEvaluatorOf,
  quotaMatches,
  type Resource,
  type ResourceQuota,
  type ResourceQuotaStatus,
  resourceTable,
} from '@wherry/api';

/** Resources with rules of their own, and those that old names count. */
const known: ReadonlySet<string> = new Set([
  '/pods',
  '/services',
  '/persistentvolumeclaims',
  '/configmaps',
  '/secrets',
  '/replicationcontrollers',
  '/resourcequotas',
]);

/** What has to be counted for quotas on these names. Names of nothing that is served count nothing. */
export function countedResources(names: readonly string[]): readonly Resource[] {
  return quotable.filter(
    (resource) =>
      (known.has(`${resource.group}/${resource.resource}`) || names.some((name) => name.startsWith('count/'))) &&
      names.some((name) => quotaEvaluatorOf(resource).concerns(name)),
  );
}

const quotable: readonly Resource[] = resourceTable.filter(
  ({ namespaced, preferred, verbs, group, resource }, index) =>
    namespaced &&
    ['create', 'list', 'watch', 'delete'].every((verb) => verbs.includes(verb)) &&
    (preferred || resourceTable.findIndex((each) => each.group === group && each.resource === resource) === index),
);

/**
 * The status that a quota should have, undefined when it has it.
 * @param objectsOf everything of a resource in the quota's namespace
 */
export function planQuota(
  quota: ResourceQuota,
  objectsOf: (resource: Resource) => readonly ApiObject[],
  nowMs: number,
): ResourceQuotaStatus | undefined {
  const hard = parseAmounts(quota.spec?.hard);
  const names = [...hard.keys()];
  // What nobody can count stays as somebody else has written it.
  let used: QuotaAmounts = maskAmounts(parseAmounts(quota.status?.used), names);
  for (const resource of countedResources(names)) {
    used = new Map([...used, ...usageOf(quota, names, resource, objectsOf(resource), nowMs)]);
  }
  const isKnown =
    quota.status?.hard !== undefined &&
    quota.status.used !== undefined &&
    equalAmounts(hard, parseAmounts(quota.status.hard)) &&
    equalAmounts(used, parseAmounts(quota.status.used));
  return isKnown ? undefined : { hard: { ...quota.spec?.hard }, used: formatAmounts(used) };
}

function usageOf(
  quota: ResourceQuota,
  names: readonly string[],
  resource: Resource,
  objects: readonly ApiObject[],
  nowMs: number,
): QuotaAmounts {
  const evaluator = quotaEvaluatorOf(resource);
  const concerned = names.filter((name) => evaluator.concerns(name));
  let sum: QuotaAmounts = new Map(concerned.map((name) => [name, parseQuantity('0')]));
  for (const object of objects) {
    if (quotaMatches(quota, names, evaluator, object)) {
      sum = addAmounts(sum, maskAmounts(evaluator.usage(object, nowMs), concerned));
    }
  }
  return sum;
}

/** Whether a change gives something back to quotas; what is taken was reserved before. */
export function givesBack(
  resource: Resource,
  previous: ApiObject | undefined,
  next: ApiObject | undefined,
  nowMs: number,
): boolean {
  if (next === undefined) return true;
  if (previous === undefined) return false;
  const evaluator = quotaEvaluatorOf(resource);
  const before = evaluator.usage(previous, nowMs);
  const after = evaluator.usage(next, nowMs);
  return before !== after && [...before].some(([name, { nano }]) => (after.get(name)?.nano ?? 0n) < nano);
}
